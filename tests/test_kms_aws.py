"""AWS's own clients against the kms engine, unchanged but for the endpoint: boto3, the Encryption SDK, the command line."""
import base64
import contextlib
import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import aws_encryption_sdk
import boto3
import botocore.auth
import botocore.config
import botocore.session
import pytest
import requests
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
from aws_encryption_sdk.identifiers import CommitmentPolicy
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from coffer_server import ROOT, Server, binary

REGION = "us-east-1"
ARN = "arn:aws:kms:us-east-1:000000000000:"
ALL = 'path "kms/*" { capabilities = ["create", "read", "update", "delete", "list"] }'
USED = set()


class Keys:
    """An access key with a policy of its own, as boto3 uses it."""

    def __init__(self, server, policy, namespace="", **wish):
        name = "p" + uuid.uuid4().hex
        headers = {"X-Vault-Namespace": namespace}
        server.ok("PUT", f"sys/policies/acl/{name}", {"policy": policy}, headers=headers)
        made = server.ok("POST", "auth/token/access-keys", {"policies": [name], "ttl": "1h", **wish}, headers=headers)
        self.data = made["data"]
        self.id, self.secret = self.data["access_key_id"], self.data["secret_access_key"]
        self.server = server

    def client(self, path="/v1/kms/aws", secret=None, **more):
        config = botocore.config.Config(retries={"total_max_attempts": 1}, **more)
        client = boto3.client("kms", endpoint_url=self.server.addr + path, region_name=REGION, aws_access_key_id=self.id,
                              aws_secret_access_key=secret or self.secret, config=config)
        client.meta.events.register("before-call.kms", lambda model, **_: USED.add(model.name))
        return client

    def environment(self):
        return {**os.environ, "AWS_ACCESS_KEY_ID": self.id, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_KMS": self.server.addr + "/v1/kms/aws"}


@pytest.fixture(scope="module")
def kms_server():
    """A server with a kms engine at `kms/`, which also answers at the root of the listener."""
    folder = tempfile.mkdtemp(prefix="coffer-test-")
    server = Server(folder)
    config = os.path.join(folder, "server.hcl")
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(text.replace("tls_disable = true", 'tls_disable = true\n  aws_kms = "kms/"'))
    server.start()
    try:
        server.initialise()
        server.unseal()
        server.ok("POST", "sys/mounts/kms", {"type": "kms"})
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def kms(kms_server):
    return Keys(kms_server, ALL).client()


@contextlib.contextmanager
def refused(name, status=400):
    with pytest.raises(ClientError) as caught:
        yield caught
    error = caught.value.response
    assert error["Error"]["Code"] == name, error
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status, error
    assert re.fullmatch("[0-9a-f-]{36}", error["ResponseMetadata"]["RequestId"]), error


def new_key(kms, **wish):
    return kms.create_key(**wish)["KeyMetadata"]


def test_keys_and_what_is_told_about_them(kms):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    made = new_key(kms, Description="orders", Tags=[{"TagKey": "Team", "TagValue": "a"}])
    assert made["Arn"] == ARN + "key/" + made["KeyId"]
    assert made["AWSAccountId"] == "000000000000"
    assert made["Enabled"] and made["KeyState"] == "Enabled" and made["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert made["Description"] == "orders" and made["KeyUsage"] == "ENCRYPT_DECRYPT"
    assert before < made["CreationDate"] < before + datetime.timedelta(minutes=5)
    for name in [made["KeyId"], made["Arn"], f"arn:aws:kms:eu-west-3:123456789012:key/{made['KeyId']}"]:
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == made["KeyId"]
    kms.update_key_description(KeyId=made["KeyId"], Description="")
    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["Description"] == ""
    kms.tag_resource(KeyId=made["KeyId"], Tags=[{"TagKey": "Stage", "TagValue": "prod"}])
    tags = kms.list_resource_tags(KeyId=made["KeyId"])
    assert sorted((tag["TagKey"], tag["TagValue"]) for tag in tags["Tags"]) == [("Stage", "prod"), ("Team", "a")]
    kms.untag_resource(KeyId=made["KeyId"], TagKeys=["Team"])
    assert kms.list_resource_tags(KeyId=made["KeyId"])["Tags"] == [{"TagKey": "Stage", "TagValue": "prod"}]

    more = {new_key(kms)["KeyId"] for _ in range(3)} | {made["KeyId"]}
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    listed = [key for page in pages for key in page["Keys"]]
    assert more <= {key["KeyId"] for key in listed} and len(pages) > 1
    assert all(key["KeyArn"] == ARN + "key/" + key["KeyId"] for key in listed)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=str(uuid.uuid4()))
    with refused("NotFoundException"):
        kms.describe_key(KeyId="no key/at all")


def test_aliases(kms):
    one, two = new_key(kms), new_key(kms)
    name = "alias/team/" + uuid.uuid4().hex
    kms.create_alias(AliasName=name, TargetKeyId=one["Arn"])
    with refused("AlreadyExistsException"):
        kms.create_alias(AliasName=name, TargetKeyId=two["KeyId"])
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == one["KeyId"]
    assert kms.describe_key(KeyId=ARN + name)["KeyMetadata"]["KeyId"] == one["KeyId"]
    kms.update_alias(AliasName=name, TargetKeyId=two["KeyId"])
    listed = kms.list_aliases(KeyId=two["Arn"])["Aliases"]
    assert [(alias["AliasName"], alias["AliasArn"], alias["TargetKeyId"]) for alias in listed] == [(name, ARN + name, two["KeyId"])]
    assert isinstance(listed[0]["CreationDate"], datetime.datetime)
    assert name in [alias["AliasName"] for page in kms.get_paginator("list_aliases").paginate() for alias in page["Aliases"]]
    kms.delete_alias(AliasName=name)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=name)
    with refused("NotFoundException"):
        kms.update_alias(AliasName=name, TargetKeyId=one["KeyId"])
    for wrong in ["team", "alias/a b"]:
        with refused("ValidationException" if wrong == "team" else "InvalidAliasNameException"):
            kms.create_alias(AliasName=wrong, TargetKeyId=one["KeyId"])


def test_encryption(kms):
    key, other = new_key(kms), new_key(kms)
    context = {"TenantId": "t-1", "lower_case": "x", "ünï": "→"}
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"hello", EncryptionContext=context)
    assert made["KeyId"] == key["Arn"] and made["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == b"hello" and opened["KeyId"] == key["Arn"]
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], KeyId=key["Arn"], EncryptionContext=context)["Plaintext"] == b"hello"
    for wrong in [{}, {**context, "TenantId": "t-2"}, {**context, "more": ""}]:
        with refused("InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=wrong)
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"], KeyId=other["KeyId"], EncryptionContext=context)
    for at in [0, 20, 30, -1]:
        blob = bytearray(made["CiphertextBlob"])
        blob[at] ^= 1
        with refused("InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=bytes(blob), EncryptionContext=context)
    for length in [1, 20, 60]:
        with refused("InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=made["CiphertextBlob"][:length], EncryptionContext=context)
    again = kms.re_encrypt(CiphertextBlob=made["CiphertextBlob"], SourceEncryptionContext=context, DestinationKeyId=other["Arn"],
                           DestinationEncryptionContext={"a": "b"})
    assert again["SourceKeyId"] == key["Arn"] and again["KeyId"] == other["Arn"]
    assert kms.decrypt(CiphertextBlob=again["CiphertextBlob"], EncryptionContext={"a": "b"})["Plaintext"] == b"hello"
    assert kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=key["KeyId"], Plaintext=bytes(4096))["CiphertextBlob"])["Plaintext"] == bytes(4096)
    with refused("ValidationException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=bytes(4097))


def test_data_keys_and_randomness(kms):
    key = new_key(kms)
    made = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", EncryptionContext={"a": "b"})
    assert len(made["Plaintext"]) == 32 and made["KeyId"] == key["Arn"]
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})["Plaintext"] == made["Plaintext"]
    assert len(kms.generate_data_key(KeyId=key["KeyId"], NumberOfBytes=64)["Plaintext"]) == 64
    hidden = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], KeySpec="AES_128")
    assert "Plaintext" not in hidden and len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]) == 16
    pair = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256")
    private = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)
    public = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert public == pair["PublicKey"] and pair["KeyPairSpec"] == "ECC_NIST_P256"
    assert kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"] == pair["PrivateKeyPlaintext"]
    pair = kms.generate_data_key_pair_without_plaintext(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P384")
    assert "PrivateKeyPlaintext" not in pair
    one, two = (kms.generate_random(NumberOfBytes=24)["Plaintext"] for _ in range(2))
    assert len(one) == 24 and one != two


def test_signatures_and_macs(kms):
    key = new_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    assert key["SigningAlgorithms"] == ["ECDSA_SHA_256"]
    message = b"to be signed"
    digest = hashlib.sha256(message).digest()
    made = kms.sign(KeyId=key["KeyId"], Message=message, SigningAlgorithm="ECDSA_SHA_256")
    shown = kms.get_public_key(KeyId=key["Arn"])
    assert shown["KeyId"] == key["Arn"] and shown["KeySpec"] == "ECC_NIST_P256"
    public = serialization.load_der_public_key(shown["PublicKey"])
    public.verify(made["Signature"], digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    told = kms.verify(KeyId=key["KeyId"], Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256", Signature=made["Signature"])
    assert told["SignatureValid"] and told["KeyId"] == key["Arn"]
    with refused("KMSInvalidSignatureException"):
        kms.verify(KeyId=key["KeyId"], Message=b"other", SigningAlgorithm="ECDSA_SHA_256", Signature=made["Signature"])
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    rsa = new_key(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    made = kms.sign(KeyId=rsa["KeyId"], Message=digest, MessageType="DIGEST", SigningAlgorithm="RSASSA_PSS_SHA_256")
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=rsa["KeyId"])["PublicKey"])
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    public.verify(made["Signature"], digest, pss, utils.Prehashed(hashes.SHA256()))

    mac = new_key(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    made = kms.generate_mac(KeyId=mac["KeyId"], Message=message, MacAlgorithm="HMAC_SHA_256")
    assert len(made["Mac"]) == 32 and made["MacAlgorithm"] == "HMAC_SHA_256"
    assert kms.verify_mac(KeyId=mac["KeyId"], Message=message, MacAlgorithm="HMAC_SHA_256", Mac=made["Mac"])["MacValid"]
    with refused("KMSInvalidMacException"):
        kms.verify_mac(KeyId=mac["KeyId"], Message=b"other", MacAlgorithm="HMAC_SHA_256", Mac=made["Mac"])


def test_the_life_of_a_key(kms):
    key = new_key(kms)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key["KeyId"])
    for call in [lambda: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x"), lambda: kms.decrypt(CiphertextBlob=blob)]:
        with refused("DisabledException"):
            call()
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"

    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 90 and status["KeyId"] == key["Arn"]
    assert isinstance(status["NextRotationDate"], datetime.datetime)
    kms.disable_key_rotation(KeyId=key["KeyId"])
    assert not kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    assert kms.rotate_key_on_demand(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    rotations = kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
    assert [rotation["RotationType"] for rotation in rotations] == ["ON_DEMAND"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"

    planned = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert planned["KeyId"] == key["Arn"] and planned["KeyState"] == "PendingDeletion"
    assert isinstance(planned["DeletionDate"], datetime.datetime)
    with refused("KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=blob)
    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_imported_material(kms):
    key = new_key(kms, Origin="EXTERNAL")
    assert key["KeyState"] == "PendingImport"
    given = kms.get_parameters_for_import(KeyId=key["KeyId"], WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    assert isinstance(given["ParametersValidTo"], datetime.datetime)
    public = serialization.load_der_public_key(given["PublicKey"])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    wrapped = public.encrypt(os.urandom(32), oaep)
    valid_to = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
    kms.import_key_material(KeyId=key["KeyId"], ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped,
                            ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=valid_to)
    shown = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert shown["KeyState"] == "Enabled" and shown["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert abs(shown["ValidTo"] - valid_to) < datetime.timedelta(seconds=2)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key["KeyId"])
    with refused("KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=blob)


def test_what_is_not_there_says_so(kms):
    key = new_key(kms)["KeyId"]
    for call in [
        lambda: kms.get_key_policy(KeyId=key),
        lambda: kms.put_key_policy(KeyId=key, Policy="{}"),
        lambda: kms.create_grant(KeyId=key, GranteePrincipal="x", Operations=["Decrypt"]),
        lambda: kms.create_key(Policy="{}"),
        lambda: kms.create_key(MultiRegion=True),
        lambda: kms.describe_custom_key_stores(),
        lambda: kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY"),
    ]:
        with refused("UnsupportedOperationException"):
            call()


def test_every_operation_was_used_or_is_named_as_absent():
    """Runs after the others: what AWS's own model has and nothing above used is refused by name."""
    with open(os.path.join(ROOT, "crates/server/src/http/aws/operation.rs"), encoding="utf-8") as file:
        source = file.read()
    rows = set(re.findall(r'row\("(\w+)"', source))
    absent = set(re.findall(r'"([A-Z]\w+)"', source[source.index("const ABSENT"):source.index("const fn row")]))
    assert not rows & absent
    assert rows <= USED, rows - USED
    model = set(botocore.session.get_session().get_service_model("kms").operation_names)
    assert rows | absent >= model, model - rows - absent
    assert rows | absent <= model, (rows | absent) - model


def test_who_may_do_what(kms_server, kms):
    key, other = new_key(kms), new_key(kms)
    keys = Keys(kms_server, f'path "kms/encrypt/{key["KeyId"]}" {{ capabilities = ["update"] }}')
    only = keys.client()
    blob = only.encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"]
    for call in [lambda: only.decrypt(CiphertextBlob=blob), lambda: only.encrypt(KeyId=other["KeyId"], Plaintext=b"x"),
                 lambda: only.describe_key(KeyId=key["KeyId"]), lambda: only.create_key(), lambda: only.list_keys(),
                 lambda: only.encrypt(KeyId=str(uuid.uuid4()), Plaintext=b"x")]:
        with refused("AccessDeniedException"):
            call()
    by_accessor = Keys(kms_server, ALL)
    assert by_accessor.client().generate_random(NumberOfBytes=1)["Plaintext"]
    kms_server.ok("POST", "auth/token/revoke-accessor", {"accessor": by_accessor.data["accessor"]})
    with refused("UnrecognizedClientException"):
        by_accessor.client().generate_random(NumberOfBytes=1)
    once = Keys(kms_server, ALL, num_uses=1)
    assert once.client().generate_random(NumberOfBytes=1)["Plaintext"]
    with refused("UnrecognizedClientException"):
        once.client().generate_random(NumberOfBytes=1)


def test_wrong_signatures(kms_server, monkeypatch):
    keys = Keys(kms_server, ALL)
    with refused("InvalidSignatureException"):
        keys.client(secret="x" * 40).list_keys()
    real = botocore.auth.get_current_datetime
    for minutes, passes in [(-6, False), (6, False), (-4, True), (4, True)]:
        shifted = lambda *words, **named: real(*words, **named) + datetime.timedelta(minutes=minutes)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", shifted)
        if passes:
            keys.client().list_keys()
            continue
        with refused("InvalidSignatureException") as caught:
            keys.client().list_keys()
        assert "Signature " in caught.value.response["Error"]["Message"]
    monkeypatch.undo()
    unknown = Keys(kms_server, ALL)
    unknown.id = "AKIAIOSFODNN7EXAMPLE"
    with refused("UnrecognizedClientException"):
        unknown.client().list_keys()
    bare = requests.post(kms_server.addr + "/v1/kms/aws", data="{}", timeout=30, headers={
        "X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1", "X-Vault-Token": kms_server.token})
    assert bare.status_code == 400 and bare.json()["__type"] == "MissingAuthenticationTokenException"
    presigned = keys.client().generate_presigned_url("list_keys")
    answer = requests.post(presigned, headers={"X-Amz-Target": "TrentService.ListKeys"}, timeout=30)
    assert answer.json()["__type"] == "IncompleteSignatureException", answer.text


def test_a_signed_request_that_is_altered(kms_server):
    keys = Keys(kms_server, ALL)
    key = new_key(keys.client())["KeyId"]
    sent = {}
    client = keys.client()
    client.meta.events.register("before-send.kms", lambda request, **_: sent.update(request=request))
    client.encrypt(KeyId=key, Plaintext=b"mine")
    request = sent["request"]
    signed = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
    send = lambda url=request.url, body=request.body, **headers: requests.post(url, data=body, headers={**signed, **headers}, timeout=30)
    again = send()
    assert again.status_code == 200, "within its minutes a signed request can be sent again, as at AWS"
    assert "CiphertextBlob" in again.json()
    for answer in [send(body=request.body.replace(b"bWluZQ", b"eW91cn")), send(body=request.body + b" "), send(url=request.url + "/"),
                   send(url=request.url + "?a=b"), send(**{"X-Amz-Target": "TrentService.Decrypt"}),
                   send(**{"X-Vault-Namespace": "team"}), send(**{"X-Amz-Extra": "1"}), send(Host="other.example")]:
        assert answer.json()["__type"] == "InvalidSignatureException", answer.text


def test_namespaces_and_the_root_of_the_listener(kms_server, kms):
    key = new_key(kms)["KeyId"]
    at_root = Keys(kms_server, ALL)
    assert at_root.client("").describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
    assert at_root.client("/v1/kms/aws/").describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
    kms_server.ok("POST", "sys/namespaces/team", {})
    kms_server.ok("POST", "team/sys/mounts/keys", {"type": "kms"})
    theirs = Keys(kms_server, ALL.replace("kms/", "keys/"), namespace="team")
    client = theirs.client("/v1/team/keys/aws")
    made = new_key(client)
    assert client.decrypt(CiphertextBlob=client.encrypt(KeyId=made["Arn"], Plaintext=b"x")["CiphertextBlob"])["Plaintext"] == b"x"
    by_header = theirs.client("/v1/keys/aws")
    by_header.meta.events.register("before-sign.kms", lambda request, **_: request.headers.add_header("X-Vault-Namespace", "team"))
    assert by_header.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["Arn"] == made["Arn"]
    with refused("AccessDeniedException"):
        theirs.client().describe_key(KeyId=key)
    with refused("AccessDeniedException"):
        at_root.client("/v1/team/keys/aws").describe_key(KeyId=made["KeyId"])
    with refused("UnknownOperationException"):
        Keys(kms_server, 'path "*" { capabilities = ["read", "list", "update", "create"] }').client("/v1/sys/aws").list_keys()


def test_the_encryption_sdk_with_its_providers(kms_server, kms, monkeypatch):
    """Master key providers: the SDK finds the endpoint as any client of AWS does."""
    for name, value in Keys(kms_server, ALL).environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    one, two = new_key(kms)["Arn"], new_key(kms)["Arn"]
    sdk = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    provider = aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[one, two])
    context = {"purpose": "test", "tenant": "ü"}
    plain = os.urandom(100_000)
    blob, header = sdk.encrypt(source=plain, key_provider=provider, encryption_context=context)
    assert len(header.encrypted_data_keys) == 2
    for keys in [[one, two], [two]]:
        provider = aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=keys)
        opened, header = sdk.decrypt(source=blob, key_provider=provider)
        assert opened == plain and context.items() <= header.encryption_context.items()
    with pytest.raises(Exception, match="(?i)decrypt|master key"):
        stranger = aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[new_key(kms)["Arn"]])
        sdk.decrypt(source=blob, key_provider=stranger)
    damaged = bytearray(blob)
    damaged[-200] ^= 1
    with pytest.raises(Exception):
        sdk.decrypt(source=bytes(damaged), key_provider=aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[one]))


def test_the_encryption_sdk_with_its_keyring(kms_server, kms):
    key = new_key(kms)["Arn"]
    library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    client = Keys(kms_server, ALL).client()
    keyring = library.create_aws_kms_keyring(input=CreateAwsKmsKeyringInput(kms_key_id=key, kms_client=client))
    sdk = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    blob, _ = sdk.encrypt(source=b"through a keyring", keyring=keyring, encryption_context={"a": "b"})
    opened, _ = sdk.decrypt(source=blob, keyring=keyring, encryption_context={"a": "b"})
    assert opened == b"through a keyring"


def command_line():
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    return program if os.path.exists(program) else shutil.which("aws")


def aws(environment, *words):
    """AWS's command line, as it is."""
    program = [sys.executable, command_line()] if command_line().startswith(os.path.dirname(sys.executable)) else [command_line()]
    done = subprocess.run([*program, "--output", "json", "kms", *words], env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done


def test_the_command_line_of_aws(kms_server, kms, tmp_path):
    environment = Keys(kms_server, ALL).environment()
    made = aws(environment, "create-key", "--description", "by the command line")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["KeyMetadata"]["KeyId"]
    (tmp_path / "plain").write_bytes(b"hello")
    blob = json.loads(aws(environment, "encrypt", "--key-id", key, "--plaintext", f"fileb://{tmp_path}/plain").stdout)["CiphertextBlob"]
    (tmp_path / "blob").write_bytes(base64.b64decode(blob))
    opened = json.loads(aws(environment, "decrypt", "--ciphertext-blob", f"fileb://{tmp_path}/blob").stdout)
    assert base64.b64decode(opened["Plaintext"]) == b"hello"
    wrong = aws({**environment, "AWS_SECRET_ACCESS_KEY": "x"}, "list-keys")
    assert wrong.returncode != 0 and "InvalidSignatureException" in wrong.stderr


def coffer(server, *words, **more):
    environment = {**os.environ, "VAULT_ADDR": server.addr, "VAULT_TOKEN": server.token, **more}
    return subprocess.run([binary(), *words], env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_our_command_line_hands_out_access_keys(kms_server, kms):
    name = "p" + uuid.uuid4().hex
    kms_server.ok("PUT", f"sys/policies/acl/{name}", {"policy": ALL})
    made = coffer(kms_server, "kms", "access-key", "create", f"-policy={name}", "-ttl=10m", "-format=json")
    assert made.returncode == 0, made.stderr
    data = json.loads(made.stdout)["data"]
    assert data["access_key_id"].startswith("CKIA") and data["ttl"] == 600
    listed = coffer(kms_server, "kms", "access-key", "list", "-format=json")
    assert data["access_key_id"] in listed.stdout and data["secret_access_key"] not in listed.stdout
    ended = coffer(kms_server, "kms", "access-key", "revoke", data["access_key_id"])
    assert ended.returncode == 0, ended.stderr
    assert data["access_key_id"] not in coffer(kms_server, "kms", "access-key", "list", "-format=json").stdout


def test_credential_process(kms_server, kms, tmp_path):
    """No secret lies anywhere: clients ask our command line for an access key whenever they need one."""
    name = "p" + uuid.uuid4().hex
    kms_server.ok("PUT", f"sys/policies/acl/{name}", {"policy": ALL})
    told = json.loads(coffer(kms_server, "kms", "credentials", f"-policy={name}", "-ttl=20m").stdout)
    assert set(told) == {"Version", "AccessKeyId", "SecretAccessKey", "Expiration"} and told["Version"] == 1
    left = datetime.datetime.fromisoformat(told["Expiration"].replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=18) < left <= datetime.timedelta(minutes=20)
    config = tmp_path / "config"
    config.write_text(f"[profile coffer]\nregion = {REGION}\nendpoint_url = {kms_server.addr}/v1/kms/aws\n"
                      f"credential_process = {binary()} kms credentials -policy={name}\n")
    script = "import boto3; print(boto3.Session(profile_name='coffer').client('kms').generate_random(NumberOfBytes=3)['Plaintext'].hex())"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_CONFIG_FILE": str(config), "VAULT_ADDR": kms_server.addr, "VAULT_TOKEN": kms_server.token}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert re.fullmatch("[0-9a-f]{6}", done.stdout.strip()), done.stderr


def test_audit_sees_an_ordinary_request_and_a_sealed_server_says_so(kms_server, kms, tmp_path):
    keys = Keys(kms_server, ALL)
    key = new_key(keys.client())["KeyId"]
    log = os.path.join(kms_server.folder, "audit.log")
    kms_server.ok("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": log}})
    keys.client().encrypt(KeyId=key, Plaintext=b"nobody reads this")
    with refused("InvalidSignatureException"):
        keys.client(secret="y" * 40).encrypt(KeyId=key, Plaintext=b"x")
    kms_server.ok("DELETE", "sys/audit/file")
    with open(log, encoding="utf-8") as file:
        text = file.read()
    lines = [json.loads(line) for line in text.splitlines()]
    lines = [line for line in lines if line.get("request", {}).get("path") == f"kms/encrypt/{key}"]
    assert [line["type"] for line in lines] == ["request", "response", "request", "response"]
    assert lines[0]["auth"]["metadata"]["access_key_id"] == keys.id
    assert lines[2]["error"] == "permission denied" and not lines[2].get("auth", {}).get("accessor")
    for secret in [keys.secret, "nobody reads this", base64.b64encode(b"nobody reads this").decode()]:
        assert secret not in text
    kms_server.ok("PUT", "sys/seal", {})
    try:
        with refused("ServiceUnavailableException", 503):
            keys.client().list_keys()
    finally:
        kms_server.unseal()
    assert keys.client().list_keys()["Keys"]

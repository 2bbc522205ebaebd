"""What operators see: metrics in both forms, the log, requests in flight, the host, alert rules, support bundles."""
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import threading
import time

import pytest

from coffer_server import ROOT, Server, binary, free_port, until
from conftest import database_config, database_role

BAO = os.environ.get("BAO_CLI", "bao")
RULES = os.path.join(ROOT, "deploy", "prometheus", "coffer.rules.yml")
DASHBOARD = os.path.join(ROOT, "deploy", "grafana", "coffer.json")
WATCHER = """
path "sys/metrics" { capabilities = ["read"] }
path "sys/monitor" { capabilities = ["read"] }
"""


@pytest.fixture
def watched(folder):
    """A server whose second listener shows metrics and requests in flight to everyone."""
    port = free_port()
    extra = (f'telemetry {{\n  usage_gauge_period = "1s"\n  disable_hostname = true\n}}\n'
             f'log_requests_level = "info"\n'
             f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n'
             f'  telemetry {{ unauthenticated_metrics_access = true }}\n'
             f'  inflight_requests_logging {{ unauthenticated_in_flight_requests_access = true }}\n}}\n')
    server = Server(folder, extra)
    server.shown = port
    server.start()
    yield server
    server.kill()


def ask(port, path, token="", accept="", method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {name: value for name, value in (("X-Vault-Token", token), ("Accept", accept)) if value}
    connection.request(method, "/v1/" + path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("Content-Type"), text


def scrape(port):
    """The series of a scrape: name with labels to value."""
    status, kind, text = ask(port, "sys/metrics?format=prometheus")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8"), text
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def named(series, name):
    return {key: value for key, value in series.items() if re.split(r"\{", key)[0] == name}


def test_metrics_are_there_in_any_state_where_the_listener_says_so(watched):
    assert ask(watched.port, "sys/metrics")[0] == 503
    assert named(scrape(watched.shown), "vault_core_unsealed") == {'vault_core_unsealed{cluster=""}': 0}
    watched.initialise()
    watched.unseal()
    assert list(named(scrape(watched.shown), "vault_core_unsealed").values()) == [1]
    assert ask(watched.port, "sys/metrics")[0] == 403
    assert ask(watched.shown, "sys/metrics", method="POST")[0] == 405
    assert ask(watched.shown, "sys/host-info")[0] == 403, "nothing else is shown"
    watched.ok("PUT", "sys/seal")
    assert list(named(scrape(watched.shown), "vault_core_unsealed").values()) == [0]


def test_both_forms_tell_the_same(watched):
    watched.initialise()
    watched.unseal()
    watched.ok("PUT", "sys/policies/acl/watcher", {"policy": WATCHER})
    token = watched.ok("POST", "auth/token/create", {"policies": ["watcher"], "ttl": "1h"})["auth"]["client_token"]
    status, kind, text = ask(watched.port, "sys/metrics", token)
    told = json.loads(text)
    assert (status, kind) == (200, "application/json")
    assert set(told) == {"Timestamp", "Gauges", "Points", "Counters", "Samples"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d0 \+0000 UTC", told["Timestamp"])
    samples = {one["Name"]: one for one in told["Samples"]}
    assert {"Name", "Count", "Rate", "Sum", "Min", "Max", "Mean", "Stddev", "Labels"} == set(samples["vault.token.create"])
    for accept in ("prometheus/telemetry", "application/openmetrics-text;version=1.0.0,*/*;q=0.1"):
        assert ask(watched.port, "sys/metrics", token, accept)[1].startswith("text/plain; version=0.0.4")
    assert ask(watched.port, "sys/metrics?format=xml", token)[::2] == (400, 'metric response format "xml" unknown')
    series = scrape(watched.shown)
    assert series["vault_token_create_count"] == 2, "the root token and the watcher's"
    creation = [key for key in named(series, "vault_token_creation") if 'creation_ttl="1h"' in key]
    assert len(creation) == 1 and 'auth_method="token"' in creation[0] and 'mount_point="auth/token/"' in creation[0]


def test_rules_and_dashboard_name_only_what_there_is(watched, postgres):
    watched.initialise()
    watched.unseal()
    live(watched, postgres)
    wanted = metric_names()
    assert len(wanted) > 35
    try:
        until(lambda: not missing_of(wanted, watched), 20, "every metric that is asked for is exported")
    except AssertionError as error:
        raise AssertionError(missing_of(wanted, watched)) from error


def metric_names():
    with open(RULES, encoding="utf-8") as file:
        text = "\n".join(re.findall(r"expr:(.*?)(?:for:|labels:)", file.read(), re.S))
    with open(DASHBOARD, encoding="utf-8") as file:
        dashboard = json.load(file)
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return set(re.findall(r"\b(?:vault|process)_[a-z_]+[a-z]\b", text + "\n".join(expressions))) - {"vault_route_"}


# Those of servers with a seal outside, see test_seals.py.
OF_SEALS = {"vault_seal_healthy"}


def missing_of(wanted, server):
    names = {re.split(r"\{", key)[0] for key in scrape(server.shown)}
    return sorted(wanted - names - OF_SEALS - {"vault_route"})


def live(server, postgres):
    """Everything that is counted happens once."""
    server.ok("POST", "sys/audit/file", {"type": "file", "options": {"file_path": os.path.join(server.folder, "audit.log")}})
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("POST", "secret/data/a", {"data": {"a": 1}})
    server.ok("POST", "sys/mounts/database", {"type": "database"})
    server.ok("POST", "database/config/pg", database_config(postgres))
    server.ok("POST", "database/roles/app-role", {**database_role(), "default_ttl": "2s"})
    token = server.ok("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"})["auth"]["client_token"]
    server.ok("POST", "auth/token/renew-self", {}, token=token)
    lease = server.ok("GET", "database/creds/app-role")["lease_id"]
    server.ok("PUT", "sys/leases/renew", {"lease_id": lease, "increment": 2})
    wrapped = server.ok("GET", "secret/data/a", headers={"X-Vault-Wrap-TTL": "60s"})["wrap_info"]["token"]
    server.ok("POST", "sys/wrapping/unwrap", {}, token=wrapped)
    server.ok("LIST", "secret/metadata")


def test_requests_in_flight_are_listed(watched):
    watched.initialise()
    watched.unseal()
    shown = json.loads(ask(watched.shown, "sys/in-flight-req")[2])
    (only,) = shown.values()
    assert set(only) == {"start_time", "client_remote_address", "request_path", "request_method", "client_id"}
    assert (only["request_path"], only["request_method"]) == ("/v1/sys/in-flight-req", "GET")
    assert ask(watched.port, "sys/in-flight-req")[0] == 403
    with Following(watched) as lines:
        lines.wait_until_open()
        listed = watched.ok("GET", "sys/in-flight-req").body.values()
        assert sorted(one["request_path"] for one in listed) == ["/v1/sys/in-flight-req", "/v1/sys/monitor"]
    until(lambda: len(watched.ok("GET", "sys/in-flight-req").body) == 1, 10, "who hung up is in flight no more")


def test_the_host_is_described(server):
    told = server.ok("GET", "sys/host-info")["data"]
    assert set(told) == {"cpu", "cpu_times", "disk", "host", "memory", "timestamp"}
    assert told["memory"]["total"] > told["memory"]["available"] > 0
    assert len(told["cpu"]) == len(told["cpu_times"]) == os.cpu_count()
    assert told["host"]["kernelVersion"] == os.uname().release


class Following:
    """Reads sys/monitor in a thread of its own."""

    def __init__(self, server, query="", token=None):
        self.server, self.query, self.token = server, query, token
        self.lines, self.status, self.ended = [], None, threading.Event()

    def __enter__(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        token = self.server.token if self.token is None else self.token
        self.connection.request("GET", "/v1/sys/monitor" + self.query, headers={"X-Vault-Token": token})
        self.socket = self.connection.sock
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # The server has ended it.

    def _read(self):
        try:
            answer = self.connection.getresponse()
            self.status = answer.status
            for line in answer:
                self.lines.append(line.decode())
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        self.ended.set()

    def wait_until_open(self):
        until(lambda: self.status, 10, "the log is followed")

    def has(self, text):
        return any(text in line for line in list(self.lines))


def test_the_log_is_followed_line_by_line(watched):
    watched.initialise()
    watched.unseal()
    with Following(watched) as standard, Following(watched, "?log_format=json&log_level=trace") as machine:
        standard.wait_until_open()
        machine.wait_until_open()
        watched.ok("GET", "sys/mounts")
        until(lambda: standard.has("request_path=/v1/sys/mounts"), 10, "a line for people")
        until(lambda: machine.has("/v1/sys/mounts"), 10, "a line for machines")
        line = next(line for line in standard.lines if "/v1/sys/mounts" in line)
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[INFO\]  http: completed_request: ", line), line
        told = json.loads(next(line for line in machine.lines if "/v1/sys/mounts" in line))
        assert told["@level"] == "info" and told["@module"] == "http" and "@timestamp" in told
        assert watched.token not in "".join(standard.lines + machine.lines)
    assert watched.call("GET", "sys/monitor?log_level=loud").status == 400
    assert watched.call("GET", "sys/monitor?log_format=xml").status == 400
    assert watched.call("GET", "sys/monitor", token="").status == 403


def test_who_follows_the_log_ends_with_its_token_and_with_the_server(watched):
    watched.initialise()
    watched.unseal()
    watched.ok("PUT", "sys/policies/acl/watcher", {"policy": WATCHER})
    token = watched.ok("POST", "auth/token/create", {"policies": ["watcher"]})["auth"]["client_token"]
    with Following(watched, token=token) as revoked, Following(watched) as sealed:
        revoked.wait_until_open()
        sealed.wait_until_open()
        watched.ok("POST", "auth/token/revoke", {"token": token})
        assert revoked.ended.wait(15)
        watched.ok("PUT", "sys/seal")
        assert sealed.ended.wait(10)
    watched.unseal()
    with Following(watched) as stopped:
        stopped.wait_until_open()
        watched.stop()
        assert stopped.ended.wait(5)


def test_too_many_readers_are_refused_and_a_slow_one_holds_nobody_up(watched):
    watched.initialise()
    watched.unseal()
    readers = [Following(watched) for _ in range(16)]
    for reader in readers:
        reader.__enter__().wait_until_open()
    assert watched.call("GET", "sys/monitor").status == 429
    began = time.monotonic()
    for _ in range(40):
        watched.ok("GET", "sys/host-info")
    assert time.monotonic() - began < 30
    for reader in readers:
        reader.__exit__()
    until(lambda: follows_again(watched), 10, "there is room again")


def follows_again(server):
    with Following(server) as reader:
        reader.wait_until_open()
        return reader.status == 200


def test_levels_are_set_while_it_runs(watched):
    watched.initialise()
    watched.unseal()
    levels = watched.ok("GET", "sys/loggers")["data"]
    assert set(levels.values()) == {"info"} and "expiration" in levels
    watched.ok("POST", "sys/loggers/http", {"level": "error"})
    assert watched.ok("GET", "sys/loggers/http")["data"] == {"http": "error"}
    before = watched.log()
    watched.ok("GET", "sys/mounts")
    assert "request_path=/v1/sys/mounts " not in watched.log()[len(before):]
    watched.ok("DELETE", "sys/loggers/http")
    watched.ok("GET", "sys/auth")
    until(lambda: "request_path=/v1/sys/auth " in watched.log(), 10, "it is logged again")
    assert watched.call("POST", "sys/loggers/nope", {"level": "info"}).status == 400
    assert watched.call("POST", "sys/loggers/core", {"level": "loud"}).status == 400


class Collector(http.server.BaseHTTPRequestHandler):
    """An OTLP collector that keeps what it gets."""

    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers["authorization"], json.loads(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_requests_are_traced_without_the_names_of_secrets(folder):
    collector = http.server.HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{collector.server_port}"
    server = Server(folder, f'traces {{\n  otlp_endpoint = "{place}"\n  headers = ["authorization=Bearer x"]\n}}\n').start()
    try:
        server.initialise()
        server.unseal()
        server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        caller = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
        server.ok("POST", "secret/data/payroll", {"data": {"a": "sesame"}}, headers=caller)
        server.call("GET", "secret/data/payroll", token="hvs.nobody", headers={"traceparent": caller["traceparent"][:-1] + "0"})
    finally:
        server.stop()
        collector.shutdown()
    assert {(path, secret) for path, secret, _ in Collector.got} == {("/v1/traces", "Bearer x")}
    said = json.dumps(Collector.got)
    assert "payroll" not in said and "sesame" not in said and server.token not in said
    spans = [span for *_, body in Collector.got for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    (written,) = [span for span in spans if span.get("parentSpanId") == "00f067aa0ba902b7"]
    assert written["name"] == "POST /v1/secret/data/{path*}" and written["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    told = {one["key"]: next(iter(one["value"].values())) for one in written["attributes"]}
    assert (told["coffer.mount"], told["http.response.status_code"]) == ("secret/", "200")


def test_counters_are_those_that_are_known(server):
    assert server.ok("GET", "sys/internal/counters/entities")["data"] == {"counters": {"entities": {"total": 0}}}
    assert server.ok("GET", "sys/internal/counters/tokens")["data"]["counters"]["service_tokens"]["total"] == 1
    assert server.call("GET", "sys/internal/counters/requests").status == 404
    assert server.ok("GET", "sys/internal/counters/config")["data"]["enabled"].startswith("default-")
    for path in ("activity", "activity/monthly"):
        answer = server.call("GET", f"sys/internal/counters/{path}")
        assert answer.status == 204 or answer["data"]["clients"] >= 0, answer
    assert server.call("GET", "sys/pprof/heap").status == 404


def run(command, server, home, seconds=60):
    environment = {"PATH": os.environ["PATH"], "HOME": home, "BAO_ADDR": server.addr, "BAO_TOKEN": server.token}
    for name in ("PYENV_ROOT", "PYENV_VERSION", "PYTHONPATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False, timeout=seconds)


CLIENTS = [binary(), pytest.param(BAO, marks=pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line is not here"))]


@pytest.mark.parametrize("client", CLIENTS, ids=["coffer", "bao"])
def test_the_command_line_follows_the_log(watched, folder, client):
    watched.initialise()
    watched.unseal()
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "BAO_ADDR": watched.addr, "BAO_TOKEN": watched.token}
    process = subprocess.Popen([client, "monitor", "-log-level=debug"], env=environment, stdout=subprocess.PIPE, text=True)
    lines = []
    threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()

    def seen():
        watched.ok("GET", "sys/mounts")
        return any("request_path=/v1/sys/mounts" in line for line in list(lines))

    try:
        until(seen, 20, "a line of the log")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("client", CLIENTS, ids=["coffer", "bao"])
def test_the_command_line_makes_a_support_bundle(watched, folder, client):
    watched.initialise()
    watched.unseal()
    place = os.path.join(folder, "facts")
    done = run([client, "debug", "-duration=6s", "-interval=5s", "-metrics-interval=5s", f"-output={place}"], watched, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(place + ".tar.gz") as bundle:
        files = {os.path.basename(member.name): bundle.extractfile(member).read() for member in bundle if member.isfile()}
    index = json.loads(files["index.json"])
    expected = {"config.json", "host_info.json", "metrics.json", "requests.json", "replication_status.json", "server_status.json"}
    assert expected <= set(files), (set(files), index["errors"])
    assert all(error["target"].startswith("pprof") for error in index["errors"]), index["errors"]
    assert json.loads(files["server_status.json"])[0]["health"]["sealed"] is False
    assert json.loads(files["metrics.json"])[0]["Gauges"]
    log = next(name for name in files if name.endswith(".log"))
    assert watched.token.encode() not in b"".join(files.values()), f"the bundle holds the token ({log})"

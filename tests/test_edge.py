"""What only the HTTP edge shows: pages of other origins, headers of mounts, one answer for two hundred who unwrap."""
import http.client
from concurrent.futures import ThreadPoolExecutor

ORIGIN, OTHER = "https://a.example.com", "https://b.example.com"


def test_pages_of_other_origins_come_as_configured(server):
    def health(origin, method="GET", **more):
        return server.call(method, "sys/health", token="", headers={"Origin": origin, **more})

    assert "access-control-allow-origin" not in health(ORIGIN).headers
    server.ok("PUT", "sys/config/cors", {"allowed_origins": [ORIGIN], "allowed_headers": ["X-Own"], "allow_credentials": True})
    allowed = health(ORIGIN)
    assert allowed.status == 200 and allowed.headers["access-control-allow-origin"] == ORIGIN
    assert allowed.headers["vary"] == "Origin" and allowed.headers["access-control-allow-credentials"] == "true"
    refused = health(OTHER)
    assert refused.status == 403 and refused.body == {"errors": ["origin not allowed"]}
    assert "access-control-allow-origin" not in refused.headers
    assert health("").status == 200, "who names no origin is no page"
    asked = server.call("OPTIONS", "secret/x", token="", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "LIST"})
    assert asked.status == 200 and asked.body is None
    assert "LIST" in asked.headers["access-control-allow-methods"].split(",")
    assert {"X-Own", "X-Vault-Token"} <= set(asked.headers["access-control-allow-headers"].split(","))
    assert asked.headers["access-control-max-age"] == "300"
    assert health(ORIGIN, "OPTIONS", **{"Access-Control-Request-Method": "BREW"}).status == 405
    assert health(OTHER, "OPTIONS", **{"Access-Control-Request-Method": "GET"}).status == 403
    denied = server.call("GET", "sys/mounts", token="x", headers={"Origin": ORIGIN})
    assert denied.status == 403 and denied.headers["access-control-allow-origin"] == ORIGIN, "pages may read refusals"
    server.kill()
    server.start().unseal()
    assert health(OTHER).status == 403, "the rules outlive the process"
    server.ok("DELETE", "sys/config/cors")
    assert health(OTHER).status == 200


def test_headers_of_the_user_interface_are_sent_with_it(server):
    server.ok("PUT", "sys/config/ui/headers/X-Own", {"values": ["one", "two"]})
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/ui/")
    answer = connection.getresponse()
    assert answer.headers.get_all("X-Own") == ["one", "two"]
    assert "x-own" not in server.call("GET", "sys/health").headers


def test_of_two_hundred_who_unwrap_one_gets_it(server):
    for headers in ({}, {"X-Vault-Wrap-Format": "jwt"}):
        wrapped = server.ok("POST", "sys/wrapping/wrap", {"a": "b"}, headers={"X-Vault-Wrap-TTL": "60", **headers})
        token = wrapped["wrap_info"]["token"]
        assert token.startswith("eyJ") == bool(headers)

        def unwrap(at):
            # Half of them in the body, half as the request's own token.
            if at % 2:
                return server.call("POST", "sys/wrapping/unwrap", {"token": token}, token="")
            return server.call("POST", "sys/wrapping/unwrap", token=token)

        with ThreadPoolExecutor(200) as hands:
            answers = list(hands.map(unwrap, range(200)))
        got = [answer for answer in answers if answer.status == 200]
        assert len(got) == 1 and got[0]["data"] == {"a": "b"}
        assert {answer.status for answer in answers} == {200, 400}


def test_raw_records_are_off_unless_asked_for(server):
    assert server.call("GET", "sys/raw/core/cluster").status == 404
    assert server.call("LIST", "sys/raw").status == 404

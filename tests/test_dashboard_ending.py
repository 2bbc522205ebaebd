"""An open dashboard whose token ends, whose server is killed, restarted, sealed or stumbles; and what signing out leaves: nothing."""
import http.server
import os
import threading
import urllib.parse

from browser import needs_browser, tell
from coffer_server import Server

HTML = "<img src=x onerror=document.title='caught'>"
POLICY = HTML.lower()
SPACE = "<b>bold"
PASSWORD = "a-password-of-ann-alone"
SECRET = "a-secret-of-ann-alone"


@needs_browser
def test_the_session_the_server_and_what_is_unsaved(folder):
    server = Server(folder).start()
    server.initialise(shares=2, threshold=2)
    server.unseal()
    control = Control(server)
    try:
        server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        server.ok("POST", "secret/data/app", {"data": {"word": "the-value-that-was-read"}})
        server.ok("POST", "sys/namespaces/team", {})
        # Enough to sign in, without what `default` grants besides.
        itself = 'path "auth/token/lookup-self" { capabilities = ["read"] }'
        server.ok("PUT", "sys/policies/acl/reader", {"policy": f'path "secret/*" {{ capabilities = ["read", "list"] }}\n{itself}'})
        tell("ending", server, keys=server.keys, control=control.addr)
    finally:
        control.stop()
        server.kill()


@needs_browser
def test_signing_out_hostile_names_no_rights_and_another_origin(server):
    furnish(server)
    with Elsewhere() as elsewhere:
        tell("forget", server, password=PASSWORD, secret=SECRET, name=HTML, elsewhere=elsewhere.addr, shown=[
            ("/secrets", f"{HTML}/"), ("/secrets/secret/", HTML), ("/access/policies", POLICY), ("/access/auth", f"{HTML}/"), ("/access/entities", HTML),
            ("/access/groups", HTML), ("/operations/engines", f"{HTML}/"), ("/operations/audit", HTML), ("/operations/namespaces", SPACE)])


@needs_browser
def test_a_whole_path_by_keyboard(server):
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("PUT", "sys/policies/acl/ann", {"policy": 'path "secret/*" { capabilities = ["create", "read", "update", "delete", "list"] }'})
    server.ok("POST", "sys/auth/userpass", {"type": "userpass", "config": {"listing_visibility": "unauth"}})
    server.ok("POST", "auth/userpass/users/ann", {"password": PASSWORD, "token_policies": "ann"})
    tell("keyboard_path", server, password=PASSWORD)


def furnish(server):
    """Names and descriptions that are markup wherever a name may be given."""
    at = urllib.parse.quote(HTML, safe="")
    server.ok("POST", f"sys/mounts/{at}", {"type": "kv", "description": HTML})
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}, "description": HTML})
    server.ok("POST", f"secret/data/{at}", {"data": {"word": SECRET, HTML: HTML}})
    server.ok("POST", f"sys/auth/{at}", {"type": "userpass", "description": HTML})
    server.ok("PUT", f"sys/policies/acl/{urllib.parse.quote(POLICY, safe='')}", {"policy": f"# {HTML}"})
    server.ok("POST", "identity/entity", {"name": HTML, "metadata": {HTML: HTML}})
    server.ok("POST", "identity/group", {"name": HTML, "metadata": {HTML: HTML}})
    server.ok("PUT", f"sys/audit/{at}", {"type": "file", "description": HTML, "options": {"file_path": os.path.join(server.folder, "audit.log")}})
    server.ok("POST", f"sys/namespaces/{urllib.parse.quote(SPACE, safe='')}", {"custom_metadata": {"about": HTML}})
    server.ok("PUT", "sys/policies/acl/ann", {"policy": 'path "secret/*" { capabilities = ["read", "list"] }'})
    server.ok("POST", "sys/auth/userpass", {"type": "userpass", "config": {"listing_visibility": "unauth"}})
    server.ok("POST", "auth/userpass/users/ann", {"password": PASSWORD, "token_policies": "ann"})


class Control:
    """Lets a story kill the server and start it again, which then is sealed."""

    def __init__(self, server):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                {"/kill": server.kill, "/start": server.start}[self.path]()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addr = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Elsewhere:
    """A page of another origin."""

    def __enter__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = b"<!doctype html><title>elsewhere</title><link rel=icon href=data:,>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addr = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

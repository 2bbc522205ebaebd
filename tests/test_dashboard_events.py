"""The dashboard's events, log and audit, in a real browser."""
import os
import threading

from browser import needs_browser, tell
from conftest import database_role

WATCHER = """
path "sys/events/subscribe/*" { capabilities = ["read"] }
path "secret/data/shop/*" { capabilities = ["read", "subscribe"] }
"""


@needs_browser
def test_what_happens_is_watched(story, folder):
    server = story
    server.ok("POST", "database/roles/app-role", database_role(default_ttl="5m", max_ttl="1h"))
    server.ok("PUT", "sys/policies/acl/watcher", {"policy": WATCHER})
    watcher, stranger = (server.ok("POST", "auth/token/create", {"policies": policies})["auth"]["client_token"] for policies in (["watcher"], ["default"]))
    orders = os.path.join(folder, "orders")
    os.mkdir(orders)
    done = threading.Event()
    helper = threading.Thread(target=obey, args=(server, orders, done), daemon=True)
    helper.start()
    try:
        tell("events", server, seconds=400, watcher=watcher, stranger=stranger, keys=server.keys, orders=orders, audit=os.path.join(folder, "audit.log"))
    finally:
        done.set()
        helper.join(60)


def obey(server, orders, done):
    """Stops and starts the server as the story asks, by files. Each time something is written before the page is back."""
    ways = {"restart": server.stop, "kill": server.kill}
    while not done.wait(0.05):
        for what, end in ways.items():
            if not os.path.exists(os.path.join(orders, what)):
                continue
            os.remove(os.path.join(orders, what))
            end()
            server.start().unseal()
            server.ok("POST", f"secret/data/over/{what}", {"data": {}})
            with open(os.path.join(orders, f"{what}.done"), "w", encoding="utf-8"):
                pass

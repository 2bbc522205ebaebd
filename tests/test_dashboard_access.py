"""The dashboard for whoever keeps a server: who may do what, and keeping it running."""
import os

from browser import needs_browser, tell


@needs_browser
def test_who_may_do_what(server):
    tell("access", server, seconds=300)


@needs_browser
def test_keeping_a_server(fresh, folder):
    fresh.initialise(2, 2)
    fresh.unseal()
    tell("operations", fresh, seconds=300, keys=fresh.keys, audit=os.path.join(folder, "audit.log"))

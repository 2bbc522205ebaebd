"""Cubbyhole: a place of one's own that dies with the token."""


def steps(step):
    other = "$other"
    return [
        step("token", "POST auth/token/create", {"policies": ["default"], "ttl": "1h"}, save={"other": "auth.client_token"}),
        step("read missing", "GET cubbyhole/a", token=other),
        step("write", "POST cubbyhole/a", {"x": "1"}, token=other),
        step("write dir", "POST cubbyhole/dir/b", {"x": "1"}, token=other),
        step("write nothing", "POST cubbyhole/n", token=other),
        step("read", "GET cubbyhole/a", token=other),
        step("read by another", "GET cubbyhole/a"),
        step("list", "LIST cubbyhole/", token=other),
        step("list no slash", "LIST cubbyhole", token=other),
        step("list empty", "LIST cubbyhole/nosuch", token=other),
        step("delete", "DELETE cubbyhole/a", token=other),
        step("delete missing", "DELETE cubbyhole/a", token=other),
        step("no path", "POST cubbyhole/", {"x": 1}, token=other),
    ]

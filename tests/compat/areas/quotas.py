"""Rate-limit quotas."""


def steps(step):
    return [
        step("list none", "LIST sys/quotas/rate-limit"),
        step("write", "POST sys/quotas/rate-limit/slow", {"rate": 1, "interval": "1m", "path": "sys/policies/acl"}),
        step("read", "GET sys/quotas/rate-limit/slow"),
        step("list", "LIST sys/quotas/rate-limit"),
        step("first", "LIST sys/policies/acl"),
        step("second", "LIST sys/policies/acl"),
        step("bad rate", "POST sys/quotas/rate-limit/bad", {"rate": -1}),
        step("no rate", "POST sys/quotas/rate-limit/bad", {}),
        step("unknown path", "POST sys/quotas/rate-limit/bad", {"rate": 1, "path": "nosuch"}),
        step("read unknown", "GET sys/quotas/rate-limit/nosuch"),
        step("config", "GET sys/quotas/config"),
        step("delete", "DELETE sys/quotas/rate-limit/slow"),
        step("delete unknown", "DELETE sys/quotas/rate-limit/slow"),
    ]

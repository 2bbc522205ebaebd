"""Moving mounts: what comes along, what is refused."""


def steps(step):
    def done(name, migration):
        return step(name, f"GET sys/remount/status/${migration}", repeat_until=lambda _, text: b"success" in text or b"failure" in text)

    return [
        step("mount", "POST sys/mounts/from-here", {"type": "kv", "description": "moves", "config": {"default_lease_ttl": "1h"}}),
        step("write", "POST from-here/a", {"x": "y"}),
        step("move", "POST sys/remount", {"from": "from-here/", "to": "to/there/"}, save={"one": "migration_id"}),
        done("moved", "one"),
        step("read", "GET to/there/a"),
        step("read old", "GET from-here/a"),
        step("mount read", "GET sys/mounts/to/there"),
        step("tuning came along", "GET sys/mounts/to/there/tune"),
        step("nothing", "POST sys/remount", {}),
        step("no target", "POST sys/remount", {"from": "to/there"}),
        step("onto itself", "POST sys/remount", {"from": "to/there", "to": "to/there"}),
        step("below itself", "POST sys/remount", {"from": "to/there", "to": "to/there/below"}),
        step("into auth", "POST sys/remount", {"from": "to/there", "to": "auth/there"}),
        step("into sys", "POST sys/remount", {"from": "to/there", "to": "sys/there"}),
        step("from auth", "POST sys/remount", {"from": "auth/token", "to": "auth/other"}),
        step("from identity", "POST sys/remount", {"from": "identity", "to": "who"}),
        step("odd characters", "POST sys/remount", {"from": "to/there", "to": "a\nb"}),
        step("wrong type", "POST sys/remount", {"from": {"a": 1}, "to": "x"}),
        step("old path", "PUT sys/remount", {"from": "to/there", "to": "there"}, save={"two": "migration_id"}),
        done("old path moved", "two"),
        step("status without rights", "GET sys/remount/status/$two", token="$powerless"),
        step("without token", "POST sys/remount", {"from": "there", "to": "x"}, token=""),
        step("without rights", "POST sys/remount", {"from": "there", "to": "x"}, token="$powerless"),
        step("clean", "DELETE sys/mounts/there"),
    ]

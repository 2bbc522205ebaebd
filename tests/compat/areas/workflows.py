"""Workflows: several requests under one name."""

AT = "sys/workflows"
TWO = """
flow "read" {
  request "health" { operation = "read" path = "sys/policies/acl/default" }
  request "tokens" { operation = "read" path = "auth/token/lookup-self" }
}
"""


def steps(step):
    return [
        step("list none", f"LIST {AT}/manage"),
        step("scan none", f"SCAN {AT}/manage"),
        step("read unknown", f"GET {AT}/manage/one"),
        step("execute unknown", f"POST {AT}/execute/one"),
        step("trace unknown", f"POST {AT}/trace/one"),
        step("without text", f"POST {AT}/manage/one", {}),
        step("nonsense", f"POST {AT}/manage/one", {"workflow": "x"}),
        step("without a flow", f"POST {AT}/manage/one", {"workflow": "request \"a\" { operation = \"read\" path = \"sys/mounts\" }"}),
        step("unknown operation", f"POST {AT}/manage/one", {"workflow": "flow \"a\" { request \"b\" { operation = \"brew\" path = \"x\" } }"}),
        step("write", f"POST {AT}/manage/one", {"workflow": TWO, "description": "two requests"}),
        step("read", f"GET {AT}/manage/one"),
        step("execute", f"POST {AT}/execute/one"),
        step("trace", f"POST {AT}/trace/one", shape_only=True),
        step("execute without token", f"POST {AT}/execute/one", token=""),
        step("write with a version from now on", f"POST {AT}/manage/one", {"workflow": TWO, "cas_required": True, "cas": 2}),
        step("write without version", f"POST {AT}/manage/one", {"workflow": TWO}),
        step("write with a wrong version", f"POST {AT}/manage/one", {"workflow": TWO, "cas": 9}),
        step("write with the version", f"POST {AT}/manage/one", {"workflow": TWO, "cas": 3}),
        step("below", f"POST {AT}/manage/team/two", {"workflow": TWO}),
        step("list", f"LIST {AT}/manage"),
        step("scan", f"SCAN {AT}/manage"),
        step("delete below", f"DELETE {AT}/manage/team/two"),
        step("delete", f"DELETE {AT}/manage/one"),
        step("delete unknown", f"DELETE {AT}/manage/one"),
    ]

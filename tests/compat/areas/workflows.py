"""Workflows: several requests under one name."""

AT = "sys/workflows"
TWO = """
flow "read" {
  request "health" { operation = "read" path = "sys/config/cors" }
  request "tokens" { operation = "read" path = "auth/token/lookup-self" }
}
"""
GIVEN = """
input { field "string" "name" { required = true } }
flow "f" {
  request "keep" {
    operation = "update"
    path = { eval_source = "template" eval_type = "string" template = "cubbyhole/{{ .input.name }}" }
    data = { is = { eval_source = "input" eval_type = "string" field_name = "name" } n = 5 }
  }
  request "show" {
    operation = "read"
    path = { eval_source = "request" eval_type = "string" flow_name = "f" request_name = "keep" field_selector = "path" }
  }
  request "none" { operation = "read" path = "cubbyhole/none" }
}
output { data = {
  is = { eval_source = "response" eval_type = "string" flow_name = "f" response_name = "show" field_selector = ["data", "is"] }
  n = { eval_source = "response" eval_type = "int" flow_name = "f" response_name = "show" field_selector = ["data", "n"] }
} }
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
        step("unknown operation", f"POST {AT}/manage/odd", {"workflow": "flow \"a\" { request \"b\" { operation = \"brew\" path = \"x\" } }"}),
        step("delete the odd one", f"DELETE {AT}/manage/odd"),
        step("write", f"POST {AT}/manage/one", {"workflow": TWO, "description": "two requests"}),
        step("read", f"GET {AT}/manage/one"),
        step("execute", f"POST {AT}/execute/one"),
        step("trace", f"POST {AT}/trace/one", shape_only=True),
        step("execute without token", f"POST {AT}/execute/one", token=""),
        step("write with a version from now on", f"POST {AT}/manage/one", {"workflow": TWO, "cas_required": True, "cas": 1}),
        step("write without version", f"POST {AT}/manage/one", {"workflow": TWO}),
        step("write with a wrong version", f"POST {AT}/manage/one", {"workflow": TWO, "cas": 9}),
        step("write with the version", f"POST {AT}/manage/one", {"workflow": TWO, "cas": 2}),
        step("below", f"POST {AT}/manage/team/two", {"workflow": TWO}),
        step("list", f"LIST {AT}/manage"),
        step("scan", f"SCAN {AT}/manage"),
        step("with a field", f"POST {AT}/manage/given", {"workflow": GIVEN}),
        step("execute with a field", f"POST {AT}/execute/given", {"name": "a", "other": 1}),
        step("execute without the field", f"POST {AT}/execute/given"),
        step("trace with a field", f"POST {AT}/trace/given", {"name": "a"}, shape_only=True),
        step("execute without rights", f"POST {AT}/execute/given", {"name": "a"}, token="$powerless"),
        step("delete with a field", f"DELETE {AT}/manage/given"),
        step("another without a check", f"POST {AT}/manage/new", {"workflow": TWO, "cas": 0}),
        step("delete below", f"DELETE {AT}/manage/team/two"),
        step("delete", f"DELETE {AT}/manage/one"),
        step("delete unknown", f"DELETE {AT}/manage/one"),
    ]

"""Audit devices."""


def steps(step):
    return [
        step("list none", "GET sys/audit"),
        step("hash unknown", "POST sys/audit-hash/file", {"input": "x"}),
        step("enable", "PUT sys/audit/file", {"type": "file", "description": "to a file", "options": {"file_path": "$folder/audit.log"}}),
        step("enable twice", "PUT sys/audit/file", {"type": "file", "options": {"file_path": "$folder/audit.log"}}),
        step("enable with options", "POST sys/audit/second", {"type": "file", "local": True, "options": {"file_path": "$folder/second.log", "log_raw": "true", "mode": "0640", "elide_list_responses": "true", "hmac_accessor": "false", "prefix": "x:"}}),
        step("list", "GET sys/audit"),
        step("hash", "POST sys/audit-hash/file", {"input": "hello"}),
        step("hash empty", "POST sys/audit-hash/file", {}),
        step("unknown type", "PUT sys/audit/x", {"type": "nosuch"}),
        step("no type", "PUT sys/audit/x", {}),
        step("no file path", "PUT sys/audit/x", {"type": "file"}),
        step("no directory", "PUT sys/audit/x", {"type": "file", "options": {"file_path": "$folder/dev.hcl/audit.log"}}),
        step("bad mode", "PUT sys/audit/x", {"type": "file", "options": {"file_path": "$folder/x.log", "mode": "rw"}}),
        step("bad format", "PUT sys/audit/x", {"type": "file", "options": {"file_path": "$folder/x.log", "format": "odd"}}),
        step("nested name", "PUT sys/audit/file/below", {"type": "file", "options": {"file_path": "$folder/y.log"}}),
        step("none too many", "GET sys/audit"),
        step("disable", "DELETE sys/audit/second"),
        step("disable unknown", "DELETE sys/audit/nosuch"),
        step("disable last", "DELETE sys/audit/file"),
    ]

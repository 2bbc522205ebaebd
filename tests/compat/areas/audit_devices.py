"""Audit devices of the other types, and hashes of what they write."""


def steps(step):
    return [
        step("socket without address", "PUT sys/audit/s", {"type": "socket"}),
        step("socket bad address", "PUT sys/audit/s", {"type": "socket", "options": {"address": "127.0.0.1:1", "socket_type": "tcp"}}),
        step("socket bad type", "PUT sys/audit/s", {"type": "socket", "options": {"address": "127.0.0.1:1", "socket_type": "odd"}}),
        step("socket over udp", "PUT sys/audit/s", {"type": "socket", "description": "packets", "options": {"address": "127.0.0.1:9", "socket_type": "udp", "write_timeout": "1s"}}),
        step("socket over udp read", "GET sys/audit"),
        step("socket bad timeout", "PUT sys/audit/t", {"type": "socket", "options": {"address": "127.0.0.1:9", "socket_type": "udp", "write_timeout": "soon"}}),
        step("socket hash", "POST sys/audit-hash/s", {"input": "hello"}),
        step("socket disable", "DELETE sys/audit/s"),
        step("http without uri", "PUT sys/audit/h", {"type": "http"}),
        step("http bad uri", "PUT sys/audit/h", {"type": "http", "options": {"uri": "nonsense"}}),
        step("http refused", "PUT sys/audit/h", {"type": "http", "options": {"uri": "http://127.0.0.1:1/"}}),
        step("http bad headers", "PUT sys/audit/h", {"type": "http", "options": {"uri": "http://127.0.0.1:1/", "headers": "nonsense"}}),
        step("http disable", "DELETE sys/audit/h"),
        step("syslog bad facility", "PUT sys/audit/l", {"type": "syslog", "options": {"facility": "ODD"}}),
        step("file with options", "PUT sys/audit/f", {"type": "file", "options": {"file_path": "$folder/f.log", "hmac_accessor": "false", "log_raw": "false", "format": "json", "elide_list_responses": "true"}}),
        step("file read", "GET sys/audit"),
        step("bad flag", "PUT sys/audit/g", {"type": "file", "options": {"file_path": "$folder/g.log", "log_raw": "perhaps"}}),
        step("bad prefix type", "PUT sys/audit/g", {"type": "file", "options": "x"}),
        step("unknown option", "PUT sys/audit/g", {"type": "file", "options": {"file_path": "$folder/g.log", "colour": "red"}}),
        step("unknown option disable", "DELETE sys/audit/g"),
        step("hash nothing", "POST sys/audit-hash/f", {}),
        step("hash wrong", "POST sys/audit-hash/f", {"input": {"a": 1}}),
        step("hash read", "GET sys/audit-hash/f"),
        step("hash without rights", "POST sys/audit-hash/f", {"input": "x"}, token="$powerless"),
        step("disable", "DELETE sys/audit/f"),
        step("without token", "GET sys/audit", token=""),
        step("without rights", "GET sys/audit", token="$powerless"),
    ]

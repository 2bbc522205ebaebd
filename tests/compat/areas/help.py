"""Help texts and OpenAPI (their words differ between servers; shape and status are what counts)."""


def steps(step):
    return [
        step("help of a mount", "GET secret?help=1"),
        step("help of a path", "GET secret/data/a?help=1"),
        step("help of sys", "GET sys/?help=1"),
        step("help of sys path", "GET sys/mounts/a?help=1"),
        step("help of token", "GET auth/token/create?help=1"),
        step("help of cubbyhole", "GET cubbyhole/a?help=1"),
        step("help of nothing", "GET nosuch/a?help=1"),
        step("help without token", "GET sys/mounts?help=1", token=""),
        step("openapi of a mount", "GET secret/?help=1&format=openapi"),
    ]

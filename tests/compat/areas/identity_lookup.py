"""Looking up entities and groups by what is known of them."""

ANY_ORDER = True


def steps(step):
    def entity(name, body, **more):
        return step(f"entity {name}", "POST identity/lookup/entity", body, **more)

    def group(name, body, **more):
        return step(f"group {name}", "POST identity/lookup/group", body, **more)

    return [
        step("auth mounts", "GET sys/auth", save={"tokens": "data.token/.accessor"}),
        step("an entity", "POST identity/entity", {"name": "ann", "metadata": {"a": "b"}}, save={"ann": "data.id"}),
        step("its alias", "POST identity/entity-alias", {"name": "ann@one", "canonical_id": "$ann", "mount_accessor": "$tokens"}, save={"alias": "data.id"}),
        entity("by name", {"name": "ann"}),
        entity("by name other case", {"name": "Ann"}),
        entity("by id", {"id": "$ann"}),
        entity("by alias id", {"alias_id": "$alias"}),
        entity("by alias name", {"alias_name": "ann@one", "alias_mount_accessor": "$tokens"}),
        entity("by alias name alone", {"alias_name": "ann@one"}),
        entity("by accessor alone", {"alias_mount_accessor": "$tokens"}),
        entity("by nothing", {}),
        entity("by two things", {"name": "ann", "id": "$ann"}),
        entity("unknown name", {"name": "nosuch"}),
        entity("unknown id", {"id": "nosuch"}),
        entity("unknown alias id", {"alias_id": "nosuch"}),
        entity("unknown alias name", {"alias_name": "nosuch", "alias_mount_accessor": "$tokens"}),
        entity("unknown accessor", {"alias_name": "ann@one", "alias_mount_accessor": "nosuch"}),
        entity("wrong type", {"name": {"a": 1}}),
        entity("without token", {"name": "ann"}, token=""),
        entity("without rights", {"name": "ann"}, token="$powerless"),
        step("a group", "POST identity/group", {"name": "far", "type": "external"}, save={"far": "data.id"}),
        step("a group's alias", "POST identity/group-alias", {"name": "ga", "canonical_id": "$far", "mount_accessor": "$tokens"}, save={"ga": "data.id"}),
        group("by name", {"name": "far"}),
        group("by name other case", {"name": "FAR"}),
        group("by id", {"id": "$far"}),
        group("by alias id", {"alias_id": "$ga"}),
        group("by alias name", {"alias_name": "ga", "alias_mount_accessor": "$tokens"}),
        group("by alias name alone", {"alias_name": "ga"}),
        group("by nothing", {}),
        group("by two things", {"name": "far", "id": "$far"}),
        group("unknown name", {"name": "nosuch"}),
        group("unknown id", {"id": "nosuch"}),
        group("unknown alias id", {"alias_id": "nosuch"}),
        group("unknown alias name", {"alias_name": "nosuch", "alias_mount_accessor": "$tokens"}),
        group("without token", {"name": "far"}, token=""),
        step("clean group", "DELETE identity/group/id/$far"),
        step("clean entity", "DELETE identity/entity/id/$ann"),
    ]

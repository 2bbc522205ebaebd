"""Merging entities: aliases, policies, groups and metadata follow; what cannot be merged is refused."""

ANY_ORDER = True


def steps(step):
    return [
        step("auth mounts", "GET sys/auth", save={"tokens": "data.token/.accessor"}),
        step("into", "POST identity/entity", {"name": "into", "policies": ["a"], "metadata": {"k": "into"}}, save={"into": "data.id"}),
        step("from", "POST identity/entity", {"name": "from", "policies": ["b"], "metadata": {"k": "from", "l": "m"}}, save={"from": "data.id"}),
        step("third", "POST identity/entity", {"name": "third"}, save={"third": "data.id"}),
        step("alias of from", "POST identity/entity-alias", {"name": "f", "canonical_id": "$from", "mount_accessor": "$tokens"}, save={"f": "data.id"}),
        step("group of from", "POST identity/group", {"name": "g", "member_entity_ids": ["$from"]}, save={"g": "data.id"}),
        step("nothing", "POST identity/entity/merge", {}),
        step("no target", "POST identity/entity/merge", {"from_entity_ids": ["$from"]}),
        step("no source", "POST identity/entity/merge", {"to_entity_id": "$into"}),
        step("unknown target", "POST identity/entity/merge", {"from_entity_ids": ["$from"], "to_entity_id": "nosuch"}),
        step("unknown source", "POST identity/entity/merge", {"from_entity_ids": ["nosuch"], "to_entity_id": "$into"}),
        step("into itself", "POST identity/entity/merge", {"from_entity_ids": ["$into"], "to_entity_id": "$into"}),
        step("sources wrong", "POST identity/entity/merge", {"from_entity_ids": {"a": 1}, "to_entity_id": "$into"}),
        step("merge", "POST identity/entity/merge", {"from_entity_ids": ["$from"], "to_entity_id": "$into"}),
        step("read target", "GET identity/entity/id/$into"),
        step("read source", "GET identity/entity/id/$from"),
        step("read source by name", "GET identity/entity/name/from"),
        step("read alias", "GET identity/entity-alias/id/$f"),
        step("read group", "GET identity/group/id/$g"),
        step("merge again", "POST identity/entity/merge", {"from_entity_ids": ["$from"], "to_entity_id": "$into"}),
        step("alias of third", "POST identity/entity-alias", {"name": "t", "canonical_id": "$third", "mount_accessor": "$tokens"}, save={"t": "data.id"}),
        step("conflict", "POST identity/entity/merge", {"from_entity_ids": ["$third"], "to_entity_id": "$into"}),
        step("conflict keep unknown", "POST identity/entity/merge", {"from_entity_ids": ["$third"], "to_entity_id": "$into", "conflicting_alias_ids_to_keep": ["nosuch"]}),
        step("conflict keep theirs", "POST identity/entity/merge", {"from_entity_ids": ["$third"], "to_entity_id": "$into", "conflicting_alias_ids_to_keep": ["$t"]}),
        step("read target after conflict", "GET identity/entity/id/$into"),
        step("read lost alias", "GET identity/entity-alias/id/$f"),
        step("fourth", "POST identity/entity", {"name": "fourth"}, save={"fourth": "data.id"}),
        step("alias of fourth", "POST identity/entity-alias", {"name": "u", "canonical_id": "$fourth", "mount_accessor": "$tokens"}, save={"u": "data.id"}),
        step("conflict force", "POST identity/entity/merge", {"from_entity_ids": ["$fourth"], "to_entity_id": "$into", "force": True}),
        step("read target after force", "GET identity/entity/id/$into"),
        step("without token", "POST identity/entity/merge", {"from_entity_ids": ["$from"], "to_entity_id": "$into"}, token=""),
        step("without rights", "POST identity/entity/merge", {"from_entity_ids": ["$from"], "to_entity_id": "$into"}, token="$powerless"),
        step("clean group", "DELETE identity/group/id/$g"),
        step("clean entity", "DELETE identity/entity/id/$into"),
        step("clean third", "DELETE identity/entity/id/$third"),
        step("clean fourth", "DELETE identity/entity/id/$fourth"),
    ]

import { lazy } from "./lazy";
import type { Screen } from "./types";

export { AREAS, type Area, type Screen, type ScreenProps } from "./types";

/** Every screen, in the order of the navigation. A new one is a file in its area's folder and a line here. */
export const SCREENS: Screen[] = [
  { path: "/", area: "overview", title: "Overview", element: lazy(() => import("./overview/Overview")), nav: { label: "Overview" } },
  { path: "/secrets", area: "secrets", title: "Secrets", element: lazy(() => import("./secrets/Mounts")), nav: { label: "Secrets" } },
  { path: "/secrets/:mount/*", area: "secrets", title: "Secrets", element: lazy(() => import("./secrets/Browse")) },
  { path: "/credentials", area: "credentials", title: "Dynamic credentials", element: lazy(() => import("./credentials/Credentials")), nav: { label: "Dynamic credentials" } },
  { path: "/credentials/leases/*", area: "credentials", title: "Live leases", element: lazy(() => import("./credentials/Leases")) },
  { path: "/credentials/roles", area: "credentials", title: "Roles", element: lazy(() => import("./credentials/Roles")) },
  { path: "/credentials/roles/new", area: "credentials", title: "New role", element: lazy(() => import("./credentials/RoleForm")) },
  { path: "/credentials/roles/edit/:name", area: "credentials", title: "Role", element: lazy(() => import("./credentials/RoleForm")) },
  { path: "/credentials/roles/at/:name", area: "credentials", title: "Role", element: lazy(() => import("./credentials/Role")) },
  { path: "/credentials/static", area: "credentials", title: "Static roles", element: lazy(() => import("./credentials/StaticRoles")) },
  { path: "/credentials/connections", area: "credentials", title: "Connections", element: lazy(() => import("./credentials/Connections")) },
  { path: "/events", area: "events", title: "Events", element: lazy(() => import("./events/Events")), nav: { label: "Events" }, needs: ["sys/events/subscribe/*", "read"] },
  { path: "/events/log", area: "events", title: "Log", element: lazy(() => import("./events/Log")), nav: { label: "Log", icon: "terminal" }, needs: ["sys/monitor", "read"] },
  { path: "/events/audit", area: "events", title: "Audit", element: lazy(() => import("./events/AuditTail")), nav: { label: "Audit", icon: "file" }, needs: ["sys/audit", "read"] },
  { path: "/access/policies", area: "access", title: "Policies", element: lazy(() => import("./access/Policies")), nav: { label: "Policies", icon: "file" }, needs: ["sys/policies/acl", "list"] },
  { path: "/access/policies/new", area: "access", title: "New policy", element: lazy(() => import("./access/Policy")) },
  { path: "/access/policies/edit/:name", area: "access", title: "Policy", element: lazy(() => import("./access/Policy")) },
  { path: "/access/explain", area: "access", title: "Explain a decision", element: lazy(() => import("./access/Explain")), nav: { label: "Explain a decision", icon: "search" }, needs: ["sys/policies/explain", "update"] },
  { path: "/access/auth", area: "access", title: "Auth methods", element: lazy(() => import("./access/Methods")), nav: { label: "Auth methods" }, needs: ["sys/auth", "read"] },
  { path: "/access/auth/:mount", area: "access", title: "Auth method", element: lazy(() => import("./access/Method")) },
  { path: "/access/auth/:mount/in/:kind/:name", area: "access", title: "Auth method", element: lazy(() => import("./access/Entry")) },
  { path: "/access/auth/:mount/set/:kind", area: "access", title: "Auth method", element: lazy(() => import("./access/Entry")) },
  { path: "/access/entities", area: "access", title: "Entities", element: lazy(() => import("./access/Entities")), nav: { label: "Entities" }, needs: ["identity/entity/id", "list"] },
  { path: "/access/entities/:id", area: "access", title: "Entity", element: lazy(() => import("./access/Entity")) },
  { path: "/access/groups", area: "access", title: "Groups", element: lazy(() => import("./access/Groups")), nav: { label: "Groups", icon: "folder" }, needs: ["identity/group/id", "list"] },
  { path: "/access/groups/:id", area: "access", title: "Group", element: lazy(() => import("./access/Group")) },
  { path: "/access/tokens", area: "access", title: "Tokens", element: lazy(() => import("./access/Tokens")), nav: { label: "Tokens", icon: "clock" }, needs: ["auth/token/create", "update"] },
  { path: "/operations/engines", area: "operations", title: "Secrets engines", element: lazy(() => import("./operations/Engines")), nav: { label: "Secrets engines" }, needs: ["sys/mounts", "read"] },
  { path: "/operations/engines/:mount", area: "operations", title: "Secrets engine", element: lazy(() => import("./operations/Engine")) },
  { path: "/operations/audit", area: "operations", title: "Audit devices", element: lazy(() => import("./operations/Audit")), nav: { label: "Audit devices", icon: "events" }, needs: ["sys/audit", "read"] },
  { path: "/operations/seal", area: "operations", title: "Seal", element: lazy(() => import("./operations/Seal")), nav: { label: "Seal", icon: "secrets" }, needs: ["sys/seal", "update"] },
  { path: "/operations/keys", area: "operations", title: "Keys", element: lazy(() => import("./operations/Keys")), nav: { label: "Keys", icon: "refresh" }, needs: ["sys/key-status", "read"] },
  { path: "/operations/quotas", area: "operations", title: "Quotas", element: lazy(() => import("./operations/Quotas")), nav: { label: "Quotas", icon: "overview" }, needs: ["sys/quotas/rate-limit", "list"] },
  { path: "/operations/namespaces", area: "operations", title: "Namespaces", element: lazy(() => import("./operations/Namespaces")), nav: { label: "Namespaces", icon: "space" }, needs: ["sys/namespaces", "list"] },
  { path: "/operations/snapshots", area: "operations", title: "Snapshots", element: lazy(() => import("./operations/Snapshots")), nav: { label: "Snapshots", icon: "download" }, needs: ["sys/storage/snapshot", "read"] },
  { path: "/operations/server", area: "operations", title: "Server", element: lazy(() => import("./operations/Server")), nav: { label: "Server", icon: "terminal" }, needs: ["sys/config/state/sanitized", "read"] },
];

import { deep, path } from "../../shell/router";

const query = (engine: string): string => (engine ? `?${new URLSearchParams({ engine }).toString()}` : "");

/** Where credentials are issued, with a role chosen or not. */
export const issuing = (engine: string, role = ""): string => `/credentials?${new URLSearchParams({ engine, ...(role ? { role } : {}) }).toString()}`;

/** A part of an engine. */
export const part = (name: "roles" | "static" | "connections", engine: string): string => `/credentials/${name}${query(engine)}`;

/** One role. */
export const roleAt = (engine: string, role: string): string => path("credentials", "roles", "at", role) + query(engine);

/** The form of a role, or of a new one. */
export const roleForm = (engine: string, role: string | null): string => (role === null ? `/credentials/roles/new${query(engine)}` : path("credentials", "roles", "edit", role) + query(engine));

/** The leases below a prefix, which is empty or ends in a slash. */
export const leasesAt = (prefix: string): string => (prefix ? deep("/credentials/leases", prefix) : "/credentials/leases");

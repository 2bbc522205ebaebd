import { useEffect, useState } from "preact/hooks";
import { parseFields, shown } from "../api/json";
import { filled, type OperationInfo, type PathInfo } from "./description";
import { refusals } from "./refusals";
import { run, type Outcome, type Request } from "./run";
import { changed, firstOf, missing, type Values } from "./values";

/** The state of a form for something to be asked or done: what was typed, what would be sent, what is wrong, and what came of it. */
export function useOperation(path: PathInfo, operation: OperationInfo, given: Record<string, string>, onDone?: () => void) {
  const { method } = operation;
  const first = { query: firstOf(operation.query), body: firstOf(operation.body) };
  const [params, setParams] = useState<Record<string, string>>(given);
  const [query, setQuery] = useState<Values>(first.query);
  const [fields, setFields] = useState<Values>(first.body);
  const [free, setFree] = useState("{\n  \n}");
  const [wrapTtl, setWrapTtl] = useState("");
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [refusal, setRefusal] = useState<string | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [running, setRunning] = useState<AbortController | null>(null);
  // Whoever leaves does not wait any longer.
  useEffect(() => () => running?.abort(), [running]);

  const asked = changed(operation.query, query, first.query);
  const sent = changed(operation.body, fields, first.body);
  const written = parseFields(free);
  const content = operation.isFree ? (written.value ?? {}) : sent.body;
  const hasBody = method === "POST" || method === "PATCH" || (method === "DELETE" && Object.keys(content).length > 0);
  const body = hasBody ? content : undefined;
  const target = filled(path, params);

  // What was wrong with a field is no more once it is another one.
  const settle = (name: string) => setWrong(({ [name]: _, ...rest }) => rest);
  const check = (): boolean => {
    const open = method === "LIST" ? [] : path.params.filter(({ name }) => !params[name]).map(({ name }) => name);
    const lacking = [...open, ...missing(operation.query, query), ...missing(operation.body, fields)];
    const found = { ...asked.wrong, ...sent.wrong, ...Object.fromEntries(lacking.map((name) => [name, "This is needed."])) };
    const unread = operation.isFree ? written.wrong : null;
    setWrong(found);
    setRefusal(unread);
    return Object.keys(found).length === 0 && !unread;
  };
  const ask = async () => {
    const stop = new AbortController();
    const request: Request = { method, path: target, query: asTexts(asked.body), body, wrapTtl: wrapTtl.trim() || undefined };
    setRefusal(null);
    setOutcome(null);
    setRunning(stop);
    try {
      setOutcome(await run(request, stop.signal));
      onDone?.();
    } catch (error) {
      if (stop.signal.aborted) return;
      const said = refusals(error, [...path.params, ...operation.query, ...operation.body].map(({ name }) => name));
      setWrong(said.fields);
      setRefusal(said.whole);
    } finally {
      setRunning(null);
    }
  };
  return {
    first,
    params: { values: params, set: (values: Record<string, string>, name: string) => (setParams(values), settle(name)) },
    query: { values: query, set: (values: Values, name: string) => (setQuery(values), settle(name)), asked: asked.body },
    fields: { values: fields, set: (values: Values, name: string) => (setFields(values), settle(name)) },
    free: { text: free, set: setFree },
    wrap: { text: wrapTtl, set: setWrapTtl },
    target,
    body,
    wrong,
    refusal,
    outcome,
    /** Ends what is being asked; null while nothing is. */
    stop: running && (() => running.abort()),
    check,
    ask,
  };
}

/** Values as they stand in a query. */
export const asTexts = (values: Record<string, unknown>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.map((one) => shown(one)).join(",") : shown(value, false)]));

import type { JSX } from "preact";

/** Words to choose from, each with how many there are; none chosen means all. */
export function Chips({ label, counts, chosen, onInput }: { label: string; counts: ReadonlyMap<string, number>; chosen: ReadonlySet<string>; onInput: (chosen: ReadonlySet<string>) => void }): JSX.Element {
  const words = [...new Set([...counts.keys(), ...chosen])].sort();
  const toggle = (word: string) => {
    const next = new Set(chosen);
    if (!next.delete(word)) next.add(word);
    onInput(next);
  };
  return (
    <div class="chips" role="group" aria-label={label}>
      <button type="button" class="chip" aria-pressed={chosen.size === 0} onClick={() => onInput(new Set())}>
        All
      </button>
      {words.map((word) => (
        <button key={word} type="button" class="chip" aria-pressed={chosen.has(word)} onClick={() => toggle(word)}>
          {word} <span class="num muted">{(counts.get(word) ?? 0).toLocaleString()}</span>
        </button>
      ))}
    </div>
  );
}

import type { ComponentChildren, JSX } from "preact";

/** A column. */
export interface Column<T> {
  /** What stands above it, and before each value at phone width. */
  head: string;
  cell: (row: T) => ComponentChildren;
  right?: boolean;
  /** Buttons at the end of the line. */
  actions?: boolean;
}

interface Props<T> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  /** What stands there without rows. */
  empty?: ComponentChildren;
  /** At phone width lines fold into blocks; false scrolls instead. */
  folds?: boolean;
}

/** Things with the same facts, one a line. */
export function Table<T>({ label, columns, rows, rowKey, empty, folds = true }: Props<T>): JSX.Element {
  if (rows.length === 0 && empty) return <>{empty}</>;
  return (
    <div class="table-scroll" role="region" aria-label={label} tabIndex={folds ? undefined : 0}>
      <table class={`table ${folds ? "folds" : ""}`}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={column.right ? "right" : ""}>
                {column.actions ? <span class="visually-hidden">{column.head}</span> : column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.head} data-label={column.actions ? "" : column.head} class={column.actions ? "actions" : column.right ? "right num" : ""}>
                  {/* One element a cell: at phone width a cell is a grid of label and value. */}
                  <div>{column.cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

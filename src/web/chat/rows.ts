import type { MessageLine, Pending } from '../shared/chat-client.ts';
import type { Upload } from './use-chat.ts';

/** One row of the log: a stored line, a message on its way, or a picture being uploaded. */
export type Row = { readonly key: string; readonly at: number; readonly showTime: boolean } & (
  | { readonly kind: 'line'; readonly line: MessageLine; /** Chips still make sense: nothing was said since. */ readonly open: boolean }
  | { readonly kind: 'pending'; readonly pending: Pending }
  | { readonly kind: 'upload'; readonly upload: Upload }
);

const QUIET_MS = 5 * 60_000;

export function toRows(lines: readonly MessageLine[], pending: readonly Pending[], uploads: readonly Upload[]): readonly Row[] {
  const visible = lines.filter((line) => line.body.kind !== 'system');
  const lastOwn = visible.map((line) => line.from).lastIndexOf('resident');
  const nothingOnItsWay = pending.every((each) => each.state === 'failed') && uploads.length === 0;
  const rows: Row[] = [];
  let before = 0;
  const add = (row: Row extends infer R ? (R extends Row ? Omit<R, 'showTime'> : never) : never): void => {
    rows.push({ ...row, showTime: row.at - before > QUIET_MS } as Row);
    before = row.at;
  };
  // Keyed by the client's id: a pending copy turns into the stored line in place.
  visible.forEach((line, index) => add({ kind: 'line', key: line.clientId ?? `s${line.seq}`, at: line.at, line, open: index > lastOwn && nothingOnItsWay }));
  for (const each of pending) add({ kind: 'pending', key: each.frame.id, at: each.at, pending: each });
  for (const upload of uploads) add({ kind: 'upload', key: upload.id, at: upload.at, upload });
  return rows;
}

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Understanding } from '../domain/understanding.ts';
import { CSV_COLUMNS, parseJsonLine, toBatchResult, toCsvRow } from './batch-format.ts';
import type { BatchMessage, BatchResult, Format } from './batch-format.ts';
import { readCsv } from './read-csv.ts';

export interface Batch {
  readonly input: Readable;
  readonly output: Writable;
  /** False for stdout, which is not ours to end. */
  readonly endOutput: boolean;
  readonly inputFormat: Format;
  readonly outputFormat: Format;
  readonly understand: (text: string) => Promise<Understanding>;
  /** Messages in hand at one time: memory does not grow with the file. */
  readonly atOnce: number;
  readonly onBad: (line: number, reason: string) => void;
  readonly onProgress: (done: number, share: number | null) => void;
}

interface Pending { readonly line: number; readonly result: Promise<BatchResult | Error> }

/** Reads, judges and writes in the order of the input. @returns counts of good and bad lines */
export async function runBatch(batch: Batch): Promise<{ readonly done: number; readonly bad: number }> {
  const { output, outputFormat, atOnce } = batch;
  let done = 0;
  let bad = 0;
  const waiting: Pending[] = [];
  const refuse = (line: number, reason: string) => {
    bad += 1;
    batch.onBad(line, reason);
  };
  let failure: unknown = null;
  const settled = finished(output, { readable: false }).catch((error: unknown) => { failure = error; });
  const write = async (text: string) => {
    if (failure) throw failure as Error;
    if (!output.write(`${text}\n`)) await Promise.race([once(output, 'drain'), settled]);
  };
  const writeFirst = async () => {
    const { line, result } = waiting.shift() as Pending;
    const value = await result;
    if (value instanceof Error) return refuse(line, value.message);
    done += 1;
    batch.onProgress(done, null);
    await write(outputFormat === 'csv' ? toCsvRow(value) : JSON.stringify(value));
  };
  if (outputFormat === 'csv') await write(CSV_COLUMNS.join(','));
  for await (const { line, message } of messagesOf(batch)) {
    if (typeof message === 'string') {
      waiting.push({ line, result: Promise.resolve(new Error(message)) });
    } else {
      waiting.push({ line, result: batch.understand(message.text).then(
        (understanding) => toBatchResult(message.id, understanding),
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      ) });
    }
    if (waiting.length >= atOnce) await writeFirst();
  }
  while (waiting.length > 0) await writeFirst();
  if (batch.endOutput) {
    output.end();
    await settled;
  } else if (output.writableNeedDrain) await Promise.race([once(output, 'drain'), settled]);
  if (failure) throw failure as Error;
  return { done, bad };
}

interface Line { readonly line: number; readonly message: BatchMessage | string }

async function* messagesOf({ input, inputFormat }: Batch): AsyncGenerator<Line> {
  input.setEncoding('utf8');
  if (inputFormat === 'jsonl') {
    for await (const { line, text } of linesOf(input)) if (text.trim() !== '') yield { line, message: parseJsonLine(text) };
    return;
  }
  let columns: { readonly id: number; readonly text: number } | null = null;
  for await (const { line, cells, broken } of readCsv(input)) {
    if (!columns) {
      const names = cells.map((cell) => cell.trim().toLowerCase());
      columns = { id: names.indexOf('id'), text: names.indexOf('text') };
      if (columns.id < 0 || columns.text < 0) throw Object.assign(new Error('The first line of the CSV must name the columns id and text.'), { code: 'batch.header' });
      continue;
    }
    if (cells.length === 1 && cells[0]?.trim() === '') continue;
    const [id, text] = [cells[columns.id], cells[columns.text]];
    if (broken) yield { line, message: 'a quoted cell is never closed' };
    else if (id === undefined || id === '') yield { line, message: 'no id' };
    else if (text === undefined) yield { line, message: 'no text' };
    else yield { line, message: { id, text } };
  }
}

/** Lines end at \n only: a message may hold U+2028. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  let rest = '';
  let line = 0;
  for await (const chunk of chunks) {
    const pieces = (rest + chunk).split('\n');
    rest = pieces.pop() as string;
    for (const text of pieces) yield { line: ++line, text: line === 1 ? text.replace(/^\ufeff/, '') : text };
  }
  if (rest !== '') yield { line: ++line, text: rest };
}

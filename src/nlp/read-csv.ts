export interface CsvRecord {
  /** 1-based line on which the record begins. */
  readonly line: number;
  readonly cells: readonly string[];
  /** A quoted cell was never closed. */
  readonly broken: boolean;
}

/** Records of a CSV stream (RFC 4180: quotes doubled, line breaks inside quotes), one at a time. */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let closing = false;
  let line = 1;
  let begun = 1;
  let first = true;
  const endOfRecord = (): CsvRecord => {
    const record = { line: begun, cells: [...cells, cell], broken: false };
    cells = [];
    cell = '';
    begun = line;
    return record;
  };
  for await (const chunk of chunks) {
    for (const char of first ? chunk.replace(/^\ufeff/, '') : chunk) {
      if (char === '\n') line += 1;
      if (quoted && !closing) {
        if (char === '"') closing = true;
        else cell += char;
      } else if (closing && char === '"') {
        cell += '"';
        closing = false;
      } else {
        if (closing) quoted = closing = false;
        if (char === '"' && cell === '') quoted = true;
        else if (char === ',') {
          cells.push(cell);
          cell = '';
        } else if (char === '\n') {
          cell = cell.replace(/\r$/, '');
          yield endOfRecord();
        } else cell += char;
      }
    }
    first = false;
  }
  if (quoted && !closing) yield { line: begun, cells: [...cells, cell], broken: true };
  else if (cell !== '' || cells.length > 0) yield endOfRecord();
}

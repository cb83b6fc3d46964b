import type { Understanding } from '../domain/understanding.ts';

export const FORMATS = ['jsonl', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export interface BatchMessage { readonly id: string | number; readonly text: string }

/** One output line, the fields of the batch command and no others. */
export function toBatchResult(id: string | number, understanding: Understanding) {
  const { intent, type, candidates, nature, disposition, urgency, address, decision, modelVersion, ms } = understanding;
  return {
    id, intent: intent.value, type,
    candidates: candidates.map(({ value, probability }) => ({ type: value, probability: Math.round(probability * 1e4) / 1e4 })),
    nature: nature?.value ?? null, disposition: disposition.value, urgency: urgency?.value ?? null,
    address: {
      spans: address.spans.map(({ start, end, text }) => ({ start, end, text })), parts: address.parts,
      place: address.place, missing: address.missing,
    },
    decision: { kind: decision.kind, reason: decision.reason },
    modelVersion, ms,
  };
}
export type BatchResult = ReturnType<typeof toBatchResult>;

export const CSV_COLUMNS = ['id', 'intent', 'type', 'candidates', 'nature', 'disposition', 'urgency', 'address.spans', 'address.parts',
  'address.district', 'address.street', 'address.community', 'address.missing', 'decision.kind', 'decision.reason', 'modelVersion', 'ms'] as const;

/** Lists and objects go into their cell as JSON. */
export function toCsvRow(result: BatchResult): string {
  const { address, decision } = result;
  return [result.id, result.intent, result.type, JSON.stringify(result.candidates), result.nature, result.disposition, result.urgency,
    JSON.stringify(address.spans), JSON.stringify(address.parts), address.place?.district, address.place?.street, address.place?.community,
    address.missing.join(' '), decision.kind, decision.reason, result.modelVersion, result.ms].map(toCsvCell).join(',');
}

function toCsvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A message of one JSON line, or why it is none. */
export function parseJsonLine(line: string): BatchMessage | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not valid JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  const { id, text } = value as Record<string, unknown>;
  if (typeof id !== 'string' && typeof id !== 'number') return 'no "id" (a string or a number)';
  if (typeof text !== 'string') return 'no "text" (a string)';
  return { id, text };
}

export interface Part {
  readonly text: string;
  readonly mark: boolean;
}

/** Cuts a text where the given pieces stand in it; of pieces that overlap the earlier and longer one counts. */
export function marked(text: string, pieces: readonly string[]): readonly Part[] {
  const parts: Part[] = [];
  const wanted = [...new Set(pieces)].filter((piece) => piece !== '').sort((a, b) => b.length - a.length);
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const hit = wanted.find((piece) => text.startsWith(piece, at));
    if (hit === undefined) continue;
    if (at > from) parts.push({ text: text.slice(from, at), mark: false });
    parts.push({ text: hit, mark: true });
    from = at + hit.length;
    at = from - 1;
  }
  if (from < text.length) parts.push({ text: text.slice(from), mark: false });
  return parts;
}

import sax from 'sax';

/** An element: its text, CDATA included, and its children by name in order of appearance. Attributes don't occur on this wire. */
export interface XmlNode {
  readonly text: string;
  readonly children: ReadonlyMap<string, readonly XmlNode[]>;
}
export type RefusedXml = 'xml_malformed' | 'xml_doctype' | 'xml_too_large' | 'xml_too_deep' | 'xml_instruction';
export type ParsedXml = { readonly ok: true; readonly root: XmlNode } | { readonly ok: false; readonly reason: RefusedXml };

/** The platform's own messages stay far below: a text has at most 2,048 bytes. */
export const MOST_CHARS = 64 * 1024;
const MOST_DEPTH = 8;
const MOST_ELEMENTS = 300;
const CHUNK = 4 * 1024;

interface Open { readonly name: string; text: string; readonly children: Map<string, XmlNode[]> }

class Refused extends Error {
  readonly reason: RefusedXml;
  constructor(reason: RefusedXml) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * One `<xml>` document, read strictly. A DTD is refused where it begins, so no entity but the five of XML is ever known; size, depth and
 * number of elements are bounded while reading. Names live in maps: `__proto__` is a name like any other.
 */
export function parseXml(text: string): ParsedXml {
  if (text.length > MOST_CHARS) return { ok: false, reason: 'xml_too_large' };
  try {
    return { ok: true, root: read(text) };
  } catch (error) {
    return { ok: false, reason: error instanceof Refused ? error.reason : 'xml_malformed' };
  }
}

function read(text: string): XmlNode {
  const reader = sax.parser(true, { trim: false, normalize: false });
  const open: Open[] = [];
  let root: XmlNode | null = null;
  let elements = 0;
  const refuse = (reason: RefusedXml): never => { throw new Refused(reason); };
  const write = (words: string): void => {
    const top = open.at(-1);
    if (top) top.text += words;
  };
  reader.onerror = () => refuse('xml_malformed');
  reader.ondoctype = () => refuse('xml_doctype');
  reader.onprocessinginstruction = ({ name }) => { if (name.toLowerCase() !== 'xml') refuse('xml_instruction'); };
  reader.ontext = write;
  reader.oncdata = write;
  reader.onopentag = ({ name }) => {
    elements += 1;
    if (open.length >= MOST_DEPTH || elements > MOST_ELEMENTS) refuse('xml_too_deep');
    if (root) refuse('xml_malformed');
    open.push({ name, text: '', children: new Map() });
  };
  reader.onclosetag = () => {
    const done = open.pop() ?? refuse('xml_malformed');
    const parent = open.at(-1);
    if (!parent) root = done;
    else parent.children.set(done.name, [...(parent.children.get(done.name) ?? []), done]);
    if (!parent && done.name !== 'xml') refuse('xml_malformed');
  };
  for (let at = 0; at < text.length; at += CHUNK) reader.write(text.slice(at, at + CHUNK));
  reader.close();
  return root ?? refuse('xml_malformed');
}

/** The text of a path of first children; '' where it is absent. */
export function textAt(node: XmlNode, ...path: readonly string[]): string {
  let here: XmlNode | undefined = node;
  for (const name of path) here = here?.children.get(name)?.[0];
  return here?.text ?? '';
}

/** `]]>` cannot stand in CDATA: it is split over two. Characters that XML 1.0 has no place for are left out. */
export const cdata = (text: string): string => `<![CDATA[${text.toWellFormed().replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '').replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;

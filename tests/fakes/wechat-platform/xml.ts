/** An element's text, or its children by name; a repeated name is a list. */
export type XmlValue = string | number | XmlFields | readonly XmlFields[];
export interface XmlFields { readonly [name: string]: XmlValue }

/** Strings become CDATA as the platform writes them, numbers stand bare. */
export function writeXml(fields: XmlFields): string {
  return `<xml>${writeFields(fields)}</xml>`;
}

function writeFields(fields: XmlFields): string {
  return Object.entries(fields).map(([name, value]) => writeElement(name, value)).join('');
}

function writeElement(name: string, value: XmlValue): string {
  if (Array.isArray(value)) return (value as readonly XmlFields[]).map((each) => writeElement(name, each)).join('');
  if (typeof value === 'object') return `<${name}>${writeFields(value as XmlFields)}</${name}>`;
  // A CDATA section cannot hold its own end: it is cut in two there.
  const content = typeof value === 'number' ? String(value) : `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
  return `<${name}>${content}</${name}>`;
}

export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const TOKEN = /<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w.-]*)\s*(\/?)>|([^<]+)/gy;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' };

const decodeEntities = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([\da-fA-F]+)|(\w+));/g, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal));
  });

interface OpenElement { readonly name: string; text: string; readonly children: XmlElement[] }

/** One element and what is in it; undefined for anything that is not plain, well-formed XML (no attributes, no DOCTYPE). */
export function parseXml(source: string): XmlElement | undefined {
  const stack: OpenElement[] = [{ name: '', text: '', children: [] }];
  const text = source.trim();
  let end = 0;
  for (const token of text.matchAll(TOKEN)) {
    end = token.index + token[0].length;
    if (!takeToken(stack, token)) return undefined;
  }
  const [root] = stack[0]?.children ?? [];
  const whole = stack.length === 1 && end === text.length && stack[0]?.children.length === 1 && stack[0].text.trim() === '';
  return whole ? root : undefined;
}

function takeToken(stack: OpenElement[], [, cdata, closing, name, empty, plain]: RegExpMatchArray): boolean {
  const top = stack.at(-1);
  if (top === undefined) return false;
  if (cdata !== undefined) top.text += cdata;
  else if (plain !== undefined) top.text += decodeEntities(plain);
  else if (name !== undefined && empty) top.children.push({ name, text: '', children: [] });
  else if (name !== undefined && closing) return closeElement(stack, name);
  else if (name !== undefined) stack.push({ name, text: '', children: [] });
  return true;
}

function closeElement(stack: OpenElement[], name: string): boolean {
  const closed = stack.pop();
  if (closed?.name !== name) return false;
  stack.at(-1)?.children.push(closed);
  return true;
}

export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined => element?.children.find((each) => each.name === name);
/** The text of a child; undefined where there is no such child. */
export const childText = (element: XmlElement | undefined, name: string): string | undefined => child(element, name)?.text;

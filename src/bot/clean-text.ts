/** What a person can have meant to type; tab and line breaks stay. */
 
const UNSEEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF\uFFF9-\uFFFB]/gu;
/** Beyond this a message is judged and shown by its beginning; all of it stays in the transcript. */
export const TEXT_LIMIT = 20_000;

/**
 * The resident's own words without what cannot be seen: nothing is respelt, for they are read back to the resident and shown to
 * operator and unit. Broken surrogates become U+FFFD.
 */
export function cleanText(text: string): string {
  return text.slice(0, TEXT_LIMIT).toWellFormed().replace(UNSEEN, '').trim();
}

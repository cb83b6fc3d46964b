const NO = /^(?:没有?|不是?|否|还没|未|没|无|不满意|不太满意|一般般?|不行|没解决|没好|没联系|不撤|算了不|n|no)/iu;
const YES = /^(?:有|是|对|嗯|好|行|可以|解决|满意|联系|确定|撤|已经|修好|来过|挺好|很好|非常|谢谢|y|yes|ok)/iu;

/** Yes, no, or (null) neither, of a short answer. 「没有」 before 「有」: the negation decides. */
export function readYesNo(text: string): boolean | null {
  const clean = text.trim().replace(/^[①②③\s，,。.]+/u, '');
  if (clean.length === 0 || clean.length > 16) return null;
  if (NO.test(clean) || /(?:没有?(?:解决|联系|修|来|人)|不满意|还是(?:没|不))/u.test(clean)) return false;
  if (YES.test(clean) || /(?:解决了|满意|修好了|来水了|来电了|联系(?:过|了))/u.test(clean)) return true;
  return null;
}

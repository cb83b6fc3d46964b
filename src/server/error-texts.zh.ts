import type { ErrorCode } from '../domain/errors.ts';

/** Errors that only HTTP knows. */
export const HTTP_CODES = ['http.bad_request', 'http.not_found', 'http.method', 'http.too_large', 'http.media_type', 'http.busy', 'http.internal', 'page.not_built'] as const;
export type HttpCode = (typeof HTTP_CODES)[number];
export type PublicCode = ErrorCode | HttpCode;

const BROKEN = '系统出了点问题，您的内容没有丢失。请稍后再试；急事请直接拨打 12345。';
const BUSY = '现在使用的人较多，请稍等片刻再试；急事请直接拨打 12345。';

/** What a person reads for each code: honest, no jargon, what to do next. */
const TEXTS: Readonly<Record<PublicCode, string>> = {
  'config.invalid': BROKEN,
  'store.unreachable': '系统暂时无法保存内容，您刚才的消息还没有送达。请稍后再试；急事请直接拨打 12345。',
  'store.locked': BROKEN,
  'store.full': '系统存储空间不足，刚才的内容没有保存成功。请稍后再试；急事请直接拨打 12345。',
  'store.bad_value': BROKEN,
  'store.newer_schema': BROKEN,
  'store.corrupt': BROKEN,
  'key.mismatch': BROKEN,
  'key.missing': BROKEN,
  'key.destroyed': '您的记录已经按要求清除，无法再查看。如需反映新问题，请重新打开页面。',
  'key.unreadable': BROKEN,
  'model.missing': BROKEN,
  'model.hash_mismatch': BROKEN,
  'model.bad_output': BROKEN,
  'model.unavailable': BUSY,
  'model.timeout': BUSY,
  'model.busy': BUSY,
  'training.invalid': BROKEN,
  'segmenter.missing': BROKEN,
  'gazetteer.invalid': BROKEN,
  'catalogue.invalid': BROKEN,
  'directory.invalid': BROKEN,
  'directory.refused': '这一版目录不能这样保存或生效，请先检查并改正。',
  'message.invalid': '这条消息的内容不完整，没有发送。请检查后重新发送。',
  'message.too_large': '这条消息太长了（最多 8000 字），没有发送。请分成几条发送。',
  'media.invalid': '这个文件不是可用的图片，没有发送。请选择 JPG、PNG、WebP 或 GIF 格式的图片。',
  'media.too_large': '图片太大了，没有发送。请选择 10 MB 以内、单边不超过 12000 像素的图片。',
  'media.not_found': '找不到这张图片。',
  'auth.required': '请先登录。',
  'auth.forbidden': '您没有权限进行这个操作。',
  'auth.invalid': '会话已失效，正在为您重新建立会话。',
  'auth.locked': '尝试次数过多，请稍后再试。',
  'auth.link_used': '这个链接已经使用过，不能再次使用。',
  'conversation.not_found': '找不到这段对话。',
  'conversation.taken': '这段对话已由其他坐席接手。',
  'conversation.not_yours': '这段对话由其他坐席负责。',
  'ticket.not_found': '找不到这张工单。',
  'ticket.wrong_state': '工单当前的状态不允许这个操作。',
  'ticket.too_late': '规定的时间已过，不能再进行这个操作。',
  'ticket.not_neutral': '您与争议的一方属于同一单位，请由其他派单员裁定。',
  'ticket.changed': '工单刚刚被他人更新，请刷新后再试。',
  'user.not_found': '找不到这个账号。',
  'user.login_taken': '这个登录名已被使用。',
  'unit.unknown': '找不到这个承办单位。',
  'rate.limited': '发送得太快了，请稍等几秒再试。',
  'server.stopping': '系统正在重启，稍后会自动重新连接。',
  'history.broken': BROKEN,
  'bot.failed': BROKEN,
  'platform.unreachable': BUSY,
  'platform.refused': BROKEN,
  'platform.callback_refused': '请求未通过验证。',
  'http.bad_request': '请求的内容不正确。',
  'http.not_found': '您访问的页面或内容不存在。',
  'http.method': '不支持这样的请求。',
  'http.too_large': '发送的内容太大了。',
  'http.media_type': '不支持这种格式的内容。',
  'http.busy': BUSY,
  'http.internal': BROKEN,
  'page.not_built': '网页文件还没有生成。请在项目目录运行 npm run setup，然后刷新本页。',
};

/** The Chinese sentence for a code; for a code it has never heard of, that something is broken. */
export function publicText(code: string): string {
  return Object.hasOwn(TEXTS, code) ? TEXTS[code as PublicCode] : BROKEN;
}

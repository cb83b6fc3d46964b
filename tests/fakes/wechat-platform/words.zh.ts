/** What WeChat itself says to a person. */
export const OUT_OF_ORDER = '该公众号暂时无法提供服务，请稍后再试';
export const TRANSFERRED = '已转接公众平台客服';
export const FOLLOWED = '你已关注该公众号';
export const UNFOLLOWED = '你已取消关注';
export const KF_REFUSED = '你已拒收该客服的消息';

/** What a person's own gestures look like in the records of the screen. */
export const tappedMenu = (key: string): string => `点击菜单「${key}」`;
export const openedPage = (url: string): string => `打开网页 ${url}`;
export const scannedCode = (scene: string): string => `扫描二维码「${scene}」`;
export const choseSubscriptions = (accepted: readonly string[], rejected: readonly string[]): string =>
  [accepted.length > 0 ? `同意订阅 ${accepted.join('、')}` : '', rejected.length > 0 ? `拒绝订阅 ${rejected.join('、')}` : ''].filter(Boolean).join('；');
export const ENTERED_KF = '进入客服会话';

/** Who has a phone when the page opens. */
export const PEOPLE: readonly string[] = ['王女士', '李大爷', '小赵'];

/** What an operator reads of things that happen inside WeCom. */
export const IN_WECOM = {
  taken: '企业微信内的接待人员已接入，对话在企业微信中进行。',
  servicer: '企业微信接待人员',
  notText: '（接待人员发送了一条非文字消息）',
} as const;

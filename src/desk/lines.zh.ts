/** What the desk lets a resident read when a person comes or goes. */
export const deskLines = {
  joined: (name: string) => `人工坐席 ${name} 已接入，接下来由坐席为您服务。`,
  leftToBot: '人工服务已结束，接下来由即办助手继续为您服务；需要时请随时说“转人工”。',
  leftToQueue: '坐席暂时离开，您已回到人工队列，其他坐席会尽快接待您。',
} as const;

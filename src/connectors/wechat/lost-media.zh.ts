/** Said when a file could not be fetched or is not what it was said to be. */
export const LOST_MEDIA = {
  image: '刚才的图片没能收到，可能已过期或格式不支持，请再发一次，也可以用文字说明。',
  voice: '刚才的语音没能收到，请用文字说一遍。',
  video: '刚才的视频没能收到（可能太大），请用文字说明或改发图片。',
} as const;

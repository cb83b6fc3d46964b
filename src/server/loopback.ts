/** From this machine itself: a local proxy, a tool or a developer. */
export const isLoopback = (address: string): boolean => address === '::1' || /^(::ffff:)?127\./.test(address);

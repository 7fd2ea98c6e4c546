/**
 * Whether an address is that of the computer itself, as the console is opened on the server: nobody else reaches it there.
 * `host` is a name or an address without a port, as a page's location gives it.
 */
export const isLoopback = (host: string): boolean =>
  /^(.+\.)?localhost\.?$/i.test(host) || /^127(\.\d{1,3}){3}$/.test(host) || host === '[::1]';

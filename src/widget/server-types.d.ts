/** The types of answers come from the schemas of the server, so its code is read too: what it needs that browsers do not have. */
interface SubtleCrypto {
  timingSafeEqual: (a: ArrayBuffer | ArrayBufferView, b: ArrayBuffer | ArrayBufferView) => boolean;
}

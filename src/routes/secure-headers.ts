import { NONCE, secureHeaders } from "hono/secure-headers";

/**
 * Heads that keep a browser from doing more with an answer than to show it. Nothing here loads a script, is framed, or
 * sends a form; the page of `/docs` has one style of its own. https://owasp.org/www-project-secure-headers/
 */
export const secured = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: [NONCE],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: "no-referrer",
  strictTransportSecurity: "max-age=31536000",
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: "same-origin",
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

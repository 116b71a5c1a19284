/**
 * What zod says of invalid input, in English. The small form of zod, `zod/mini`, has no messages until it is given some. A
 * file that shows zod's messages to callers imports this one. Sets zod's configuration.
 */
import { en } from "zod/locales";
import { config } from "zod/mini";

config(en());

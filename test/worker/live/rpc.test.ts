import { expect, it } from "vitest";
import { EndpointObject, ReplyCaller, SessionObject } from "../../../src/index.ts";

/** What the platform calls, in its own form. */
const PLATFORM = ["constructor", "fetch", "alarm", "webSocketMessage", "webSocketClose", "webSocketError"];

const methodsOf = (prototype: object): [string, number][] =>
  Object.getOwnPropertyNames(prototype)
    .filter((name) => !PLATFORM.includes(name))
    .map((name) => [name, Object.getOwnPropertyDescriptor(prototype, name)?.value])
    .filter((entry): entry is [string, (...params: unknown[]) => unknown] => typeof entry[1] === "function")
    .map(([name, method]) => [name, method.length]);

it.each(
  [Object.getPrototypeOf(SessionObject.prototype) as object, EndpointObject.prototype, ReplyCaller.prototype].flatMap(
    (prototype) => methodsOf(prototype),
  ),
)("the method of RPC %s takes one object at most, so that it can grow", (_, count) => {
  expect(count).toBeLessThanOrEqual(1);
});

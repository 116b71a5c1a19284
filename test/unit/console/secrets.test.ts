import { expect, it } from "vitest";
import { isPlainAddress, mayHoldSecret } from "../../../src/console/shared/form/secrets.ts";

const SECRET_NAMES = [
  "access_token",
  "token",
  "X-Auth-Token",
  "key",
  "api_key",
  "subscription_key",
  "auth",
  "Authorization",
  "pwd",
  "password",
  "cookie",
  "credential",
  "client_secret",
];

it.for(SECRET_NAMES)("takes params with %s for a secret, also while they are written", (name) => {
  expect(mayHoldSecret(`{"temperature": 0, "${name}": "hunter2"}`)).toBe(true);
  expect(mayHoldSecret(`{"max_tokens": 5, "${name}": "hun`)).toBe(true);
});

it.for(["temperature", "max_tokens", "max_completion_tokens", "maxOutputTokens", "min_tokens", "budget_tokens"])(
  "takes params with %s for no secret",
  (name) => expect(mayHoldSecret(`{"${name}": 1}`)).toBe(false),
);

it.for([
  "",
  "ht",
  "https:",
  "https://",
  "https://api.example.com",
  "https://example.com:8443/v1/chat",
  "http://localhost:",
  "localhost:8787/v1",
  "http://[::1]:80/v1",
])("takes %s for a plain address", (address) => expect(isPlainAddress(address)).toBe(true));

it.for([
  "https://user:hunter2",
  "https://user:1234567",
  "https://user:hunter2@example.com",
  "https://user@example.com",
  "https:/user:hunter2",
  "user:hunter2",
  "https://example.com/?key=1",
  "https://example.com#1",
])("does not take %s for a plain address", (address) => expect(isPlainAddress(address)).toBe(false));

/**
 * The attack modules: those of Moonshot 0.7 that are pure text. This file lists them; what each does to a prompt is in
 * `perturbations`, its words in `words`, its random numbers in `python-random`, look-alikes in `homoglyphs`. Pure.
 */
import {
  HOMOGLYPH_ITERATIONS,
  ITERATIONS,
  WORD_RATIO,
  addGroups,
  insertPunctuation,
  replaceByAscii,
  replaceColloquially,
  replaceLetters,
  swapCharacters,
} from "./perturbations.ts";
import type { Perturb } from "./perturbations.ts";
import { PythonRandom } from "./python-random.ts";

interface AttackModule {
  name: string;
  description: string;
  /** What cannot be changed here, as Moonshot shows it. */
  configurations: Readonly<Record<string, number>>;
  perturb: Perturb;
}

const OF_WORDS = { max_iteration: ITERATIONS, word_swap_ratio: WORD_RATIO };

const MODULES = {
  charswap_attack: {
    name: "Character Swap Attack",
    description: "10 prompts. In each, two neighbouring characters are swapped in some of the longer words.",
    configurations: OF_WORDS,
    perturb: swapCharacters,
  },
  colloquial_wordswap_attack: {
    name: "Colloquial Wordswap",
    description: "One prompt, in which words for people, such as girl or uncle, are what they are called in Singapore.",
    configurations: {},
    perturb: replaceColloquially,
  },
  homoglyph_attack: {
    name: "Homoglyph Attack",
    description:
      "Up to 20 prompts. In each, one word is written with other ASCII characters that look alike: Ill, IlI.",
    configurations: { max_iteration: HOMOGLYPH_ITERATIONS },
    perturb: replaceByAscii,
  },
  homoglyph_v2_attack: {
    name: "Homoglyph V2 Attack",
    description: "20 prompts, in which more and more letters, 0 to 95 %, are Unicode characters that look alike.",
    configurations: {},
    perturb: replaceLetters,
  },
  insert_punctuation_attack: {
    name: "Insert Punctuation Attack",
    description: "10 prompts. In each, a punctuation mark or a blank stands before some of the words.",
    configurations: OF_WORDS,
    perturb: insertPunctuation,
  },
  job_role_generator: {
    name: "Job Role Generator Module",
    description: "8 prompts: the job with a gender or an ethnic group behind it.",
    configurations: {},
    perturb: addGroups,
  },
} as const satisfies Record<string, AttackModule>;

export const ATTACK_MODULES = Object.keys(MODULES) as (keyof typeof MODULES)[];

/** A module as Moonshot shows it. It needs no endpoints besides those of the session. */
export const presentAttackModules = () =>
  Object.entries<AttackModule>(MODULES).map(([id, { name, description, configurations }]) => ({
    id,
    name,
    description,
    endpoints: [],
    configurations,
  }));

export const isAttackModule = (name: string): name is keyof typeof MODULES => Object.hasOwn(MODULES, name);

/** The prompts that a module makes out of one. The same seed makes the same ones. */
export const makePrompts = (module: keyof typeof MODULES, prompt: string, seed: number): string[] =>
  MODULES[module].perturb(prompt, new PythonRandom(seed));

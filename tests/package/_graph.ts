/** What a module leads to, as Deno sees it. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../tools/copy_project.ts";

interface Module {
  readonly specifier: string;
  readonly local?: string;
  readonly error?: string;
  readonly npmPackage?: string;
  readonly dependencies?: readonly Dependency[];
}

interface Dependency {
  readonly specifier: string;
  /** Where it leads to when the program runs; types alone are not there then. */
  readonly code?: { readonly specifier?: string; readonly error?: string };
  readonly type?: { readonly specifier?: string; readonly error?: string };
}

/** What a module leads to. */
export interface Graph {
  /** Files of this repository, by their paths from the root, and what they import, word for word. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** Packages from npm, such as `cli-progress@3.12.0`. */
  readonly packages: ReadonlySet<string>;
}

/**
 * Follows the imports of a module, dynamic ones too.
 *
 * @param entry The module, by its path from the root.
 * @param options.types Whether to follow imports of types alone.
 */
export async function graphOf(entry: string, options: { types: boolean }): Promise<Graph> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
  }).output();
  assertEquals(code, 0);
  const { roots, modules, redirects }: {
    roots: string[];
    modules: Module[];
    redirects: Record<string, string>;
  } = JSON.parse(new TextDecoder().decode(stdout));
  const found = new Map(modules.map((module) => [module.specifier, module]));
  const files = new Map<string, readonly string[]>();
  const packages = new Set<string>();
  const seen = new Set(roots);
  for (const specifier of seen) {
    const module = found.get(redirects[specifier] ?? specifier);
    assert(module, `${entry} leads to ${specifier}, which is not there`);
    assertEquals(module.error, undefined);
    if (module.npmPackage !== undefined) packages.add(module.npmPackage);
    const dependencies = (module.dependencies ?? []).filter(({ code }) => options.types || code);
    for (const { code, type } of dependencies) {
      for (const target of options.types ? [code, type] : [code]) {
        assertEquals(target?.error, undefined);
        if (target?.specifier !== undefined) seen.add(target.specifier);
      }
    }
    if (module.local?.startsWith(ROOT)) {
      const path = module.local.slice(ROOT.length).replaceAll("\\", "/");
      files.set(path, dependencies.map(({ specifier }) => specifier));
    }
  }
  return { files, packages };
}

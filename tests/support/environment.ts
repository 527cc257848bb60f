/** Projects that read the environment, and what a build of them holds. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { readArchive, unpack, type Packed } from "../../packages/django-on-workers/src/build/archive.ts";
import { IMAGE, readContainer, type ImageHeader } from "../../packages/django-on-workers/src/contract/bytes.ts";
import { copyProject, filesBelow } from "./project.ts";

/** Values that occur nowhere else. */
export const IN_ENVIRONMENT = { SECRET_KEY: "9f2c71ab-environment-secret-key", API_TOKEN: "9f2c71ab-environment-token" };

const { SECRET_KEY: _, API_TOKEN: __, ...others } = process.env;
/** This process's environment without those. */
export const WITHOUT: Record<string, string | undefined> = others;

const bufferOf = (path: string): ArrayBuffer => new Uint8Array(readFileSync(path)).buffer;

/** Everything that an artefact holds, as it is and unpacked. */
function* contents(folder: string): Generator<[name: string, bytes: Uint8Array]> {
  for (const path of filesBelow(folder)) {
    const name = relative(folder, path);
    const bytes = readFileSync(path);
    yield [name, bytes];
    if (name.endsWith("image.bin")) {
      const { header, body } = readContainer<ImageHeader>(IMAGE, bufferOf(path));
      let position = 0;
      const memory = Buffer.alloc(header.memory);
      for (const [offset, , packed] of header.chunks) {
        zstdDecompressSync(body.subarray(position, position + packed)).copy(memory, offset);
        position += packed;
      }
      yield [`${name}, unpacked`, memory];
    }
    if (name.endsWith("files.bin")) {
      const archive = Buffer.concat([bytes, readFileSync(path.replace(/files\.bin$/, "contents.bin"))]);
      const blocks = new Map<Packed["block"], Uint8Array>();
      for (const [file, { block, offset, length }] of readArchive(archive)) {
        if (!blocks.has(block)) blocks.set(block, unpack({ block, offset: 0, length: block.length }));
        yield [`${name}: ${file}`, (blocks.get(block) as Uint8Array).subarray(offset, offset + length)];
      }
    }
  }
}

/** What names the artefacts that hold a text, as UTF-8 or in two or four bytes a character, as Python may keep it. */
export function searched(folder: string): (text: string) => string[] {
  const artefacts = [...contents(folder)].map(([name, bytes]) => [name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)] as const);
  return (text) => {
    const wide = Buffer.from(text, "utf16le");
    const wider = Buffer.from([...text].flatMap((letter) => [letter.charCodeAt(0), 0, 0, 0]));
    const forms = [Buffer.from(text), wide, wider, Buffer.from(Buffer.from(text).toString("base64").slice(0, -4))];
    return artefacts.filter(([, bytes]) => forms.some((form) => bytes.includes(form))).map(([name]) => name);
  };
}

/** A project whose settings read a key, with a default, and a token, and whose views begin with `kept`; they answer what `answer` says. */
export function keeping(label: string, kept: string, answer: string): string {
  const folder = copyProject("captured", label);
  appendFileSync(join(folder, "config", "settings.py"), `SECRET_KEY = os.environ.get("SECRET_KEY", "for development")\nAPI = os.environ.get("API")\nSERVICE = {"name": "mail", "tokens": [os.environ.get("API_TOKEN", "")]}\n`);
  const settings = join(folder, "config", "settings.py");
  writeFileSync(settings, readFileSync(settings, "utf8").replace('SECRET_KEY = os.environ["SECRET_KEY"]\n', ""));
  writeFileSync(join(folder, "captured", "views.py"), `from django.conf import settings\nfrom django.http import JsonResponse\n\n${kept}\n\ndef index(request):\n    return JsonResponse({"found": ${answer}, "view": "a text of the view's own"})\n`);
  return folder;
}

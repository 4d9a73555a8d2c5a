// Unpacks Chromium into the folder that TMPDIR names and prints where it lies, with the arguments that it wants.
import chromium from "@sparticuz/chromium";

const path = await chromium.executablePath();
process.stdout.write(JSON.stringify({ path, args: chromium.args }));

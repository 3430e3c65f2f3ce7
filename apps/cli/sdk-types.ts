import { commandSchemas, sdkTypes } from '#command-bus';
import { REFUSALS } from '#kernel';
import { CommandCatalogue } from '#slice';
import { capabilities } from '../capabilities.js';

/** The source of `libs/command-bus/sdk/commands.ts`. */
export const sdkTypesOfThisVersion = (): string =>
  sdkTypes(commandSchemas(new CommandCatalogue(capabilities)), Object.keys(REFUSALS).sort());

import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Logger } from 'pino';
import { AccessGuard, AccessStore, Authentication, type IdentityProvider } from '#access';
import { SealingKeys } from '#command-bus';
import { EventLog } from '#event-log';
import { KeyVault } from '#key-vault';
import { ReadModels } from '#read-model';
import { CLOCK, COMMAND_LEDGER, CommandCatalogue, commandLedgerIn, SliceModule, type Clock } from '#slice';
import { BlindIndex } from '#viewing';
import { capabilities } from '../capabilities.js';
import { AsyncApiController, BUS_SETTINGS, BusController, BusDescriptionController } from './bus.controller.js';
import { CommandsController } from './commands.controller.js';
import { DocsController, OPENAPI } from './docs.controller.js';
import { MinPosition, ProblemFilter, RefusalStatus } from './http-answers.js';
import { openApiOf, shippedFacts } from './openapi.js';
import { OperationController } from './operation.controller.js';
import { PermissionMatrix, PermissionsController } from './permissions.controller.js';
import { permissionMatrix, type Permission } from './permissions.js';
import { ViewsController } from './views.controller.js';

/** Whatever takes commands or questions in. */
export const CONTROLLERS: readonly Type[] = [
  CommandsController,
  BusController,
  BusDescriptionController,
  AsyncApiController,
  DocsController,
  OperationController,
  PermissionsController,
  ...capabilities.flatMap((each) => each.controllers),
  ViewsController,
];

/** Who may do what in this version. */
export const permissionsOfThisVersion = (): readonly Permission[] => permissionMatrix(capabilities, CONTROLLERS);

/** What an engine stands on: opened before it, closed after it. */
export interface Foundations {
  readonly log: EventLog;
  readonly vault: KeyVault;
  readonly readModels: ReadModels;
  readonly access: AccessStore;
  readonly searchIndex: BlindIndex;
  /** Absent where people have local accounts. */
  readonly identityProvider?: IdentityProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The message bus, where there is one. */
  readonly bus?: { readonly allowPlaintext: boolean };
}

@Module({})
class FoundationModule {
  static of({ log, vault, readModels, access, searchIndex, identityProvider, clock }: Foundations): DynamicModule {
    const providers = [
      { provide: EventLog, useValue: log },
      { provide: KeyVault, useValue: vault },
      { provide: ReadModels, useValue: readModels },
      { provide: AccessStore, useValue: access },
      { provide: BlindIndex, useValue: searchIndex },
      { provide: Authentication, useValue: new Authentication(access, identityProvider) },
      { provide: CLOCK, useValue: clock },
      { provide: COMMAND_LEDGER, useValue: commandLedgerIn(readModels) },
    ];
    return { module: FoundationModule, global: true, providers, exports: providers };
  }
}

/** Commands in, questions out. Stateless but for what it can fold from the log. */
@Module({})
export class EngineModule {
  static with(foundations: Foundations): DynamicModule {
    return {
      module: EngineModule,
      imports: [FoundationModule.of(foundations), SliceModule.forRoot(capabilities)],
      controllers: [...CONTROLLERS],
      providers: [
        { provide: PermissionMatrix, useFactory: () => ({ permissions: permissionsOfThisVersion() }) },
        {
          provide: OPENAPI,
          useFactory: (catalogue: CommandCatalogue) =>
            openApiOf({ controllers: CONTROLLERS, catalogue, capabilities, facts: shippedFacts() }),
          inject: [CommandCatalogue],
        },
        {
          provide: SealingKeys,
          useFactory: (vault: KeyVault, clock: Clock) => new SealingKeys(vault, clock),
          inject: [KeyVault, CLOCK],
        },
        {
          provide: BUS_SETTINGS,
          useValue: {
            on: foundations.bus !== undefined,
            allowPlaintext: false,
            ...foundations.bus,
            logger: foundations.logger,
          },
        },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: MinPosition },
        { provide: APP_INTERCEPTOR, useClass: RefusalStatus },
        { provide: APP_FILTER, useValue: new ProblemFilter(foundations.logger) },
      ],
    };
  }
}

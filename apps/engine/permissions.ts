import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { OPEN_TO, type OpenToWhom } from '#access';
import { CommandCatalogue, type Capability, type View } from '#slice';

/**
 * One line of the permission matrix: who may send a command, whatever door it comes through, or ask at an address.
 * Whoever is not named may not. `actor` is whoever has a credential, where the commands themselves are judged one by
 * one; `anyone` needs none. A subject and an agent pass for the person of their credential only; a service only
 * within its contract.
 */
export interface Permission {
  readonly kind: 'command' | 'address';
  /** Name of the command; method and address otherwise, for example `GET /v1/subjects/:subjectId/consents`. */
  readonly name: string;
  /** None when nobody thought of it: then it is closed to everybody. */
  readonly roles: readonly OpenToWhom[];
}

/** Every door of the engine with who may pass it, from what each door itself goes by. */
export function permissionMatrix(
  capabilities: readonly Capability[],
  controllers: readonly Type[],
): readonly Permission[] {
  const commands = new CommandCatalogue(capabilities)
    .all()
    .map(({ type, roles }): Permission => ({ kind: 'command', name: type, roles }));
  const views = capabilities.flatMap((each) => each.views);
  return [...commands, ...controllers.flatMap(addressesOf).flatMap((each) => perView(each, views))];
}

function addressesOf(controller: Type): readonly Permission[] {
  const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
  const prototype = controller.prototype as Readonly<Record<string, object>>;
  return Object.getOwnPropertyNames(prototype).flatMap((name): Permission[] => {
    const handler = name === 'constructor' ? undefined : prototype[name];
    const method = handler && (Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined);
    if (!handler || method === undefined) return [];
    const path = Reflect.getMetadata(PATH_METADATA, handler) as string;
    const open = (Reflect.getMetadata(OPEN_TO, handler) ??
      Reflect.getMetadata(OPEN_TO, controller) ??
      []) as OpenToWhom[];
    const address = [base, path].map((part) => part.replaceAll(/^\/|\/$/g, '')).filter((part) => part !== '');
    return [{ kind: 'address', name: `${RequestMethod[method]} /${address.join('/')}`, roles: open }];
  });
}

const ADDRESSES_OF_VIEWS: Readonly<Record<string, View['scope']>> = {
  'GET /v1/registers/:name': 'register',
  'GET /v1/subjects/:subjectId/:name': 'subject',
};

/** An address that stands for many lists is as many lines: each list says itself who may read it. */
function perView(permission: Permission, views: readonly View[]): readonly Permission[] {
  const scope = ADDRESSES_OF_VIEWS[permission.name];
  if (scope === undefined) return [permission];
  return views
    .filter((view) => view.scope === scope)
    .map(({ name, roles }) => ({
      kind: 'address',
      name: permission.name.replace(':name', name),
      roles: permission.roles.filter((role) => (roles as readonly OpenToWhom[]).includes(role)),
    }));
}

import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import type { Actor } from '#kernel';
import { CommandCatalogue, CommandDoor, EMPLOYED_ROLES, type Answer } from '#slice';

/** Commands over HTTP. What each role may send is decided at the door that all ways in share. */
@Controller('v1/commands')
export class CommandsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly catalogue: CommandCatalogue,
  ) {}

  @Post(':type')
  @HttpCode(200)
  @OpenTo('actor')
  submit(@Param('type') type: string, @Body() body: unknown, @SentBy() actor: Actor): Promise<Answer> {
    return this.door.submit(type, body, actor);
  }

  @Get()
  @OpenTo('service', ...EMPLOYED_ROLES)
  list(): readonly { type: string; capability: string; roles: readonly string[] }[] {
    return this.catalogue.all().map(({ type, capability, roles }) => ({ type, capability, roles }));
  }
}

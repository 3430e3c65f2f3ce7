import { readFileSync } from 'node:fs';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { OpenTo } from '#access';
import type { OpenApiDocument } from './openapi.js';

export const OPENAPI = Symbol('OpenApi');

const file = (name: string): string => readFileSync(new URL(`docs/${name}`, import.meta.url), 'utf8');
const PAGE = file('page.html');
const SCRIPT = file('page.js');
const STYLE = file('page.css');
const ICON = file('icon.svg');

/** The HTTP API as it describes itself, and a page to read it. For everybody: it says nothing of an installation. */
@Controller('docs')
@OpenTo('anyone')
export class DocsController {
  constructor(@Inject(OPENAPI) private readonly document: OpenApiDocument) {}

  @Get('openapi.json')
  openApi(): object {
    return this.document;
  }

  /** All that the page loads comes from here: it works where nothing else can be reached. */
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('page.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return SCRIPT;
  }

  @Get('page.css')
  @Header('content-type', 'text/css; charset=utf-8')
  style(): string {
    return STYLE;
  }

  @Get('icon.svg')
  @Header('content-type', 'image/svg+xml')
  icon(): string {
    return ICON;
  }
}

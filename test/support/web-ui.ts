import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { openPage, type OpenedPage } from './browser.js';
import type { ComposeStack } from './compose-stack.js';

const SEEN = fileURLToPath(new URL('../../test-results/web-ui/', import.meta.url));
const IN_THE_README = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const NAVIGATION_PX = 50;
const MARGIN_PX = 12;
/** So wide that half of it holds the table of a run; pictures without the folded navigation are 1280 wide. */
const VIEW = { widthPx: 1586, heightPx: 1100, scale: 1280 / (1586 - NAVIGATION_PX) };
const WAITING_MS = 60_000;

/** The Temporal Web UI of a stack, as a person goes through it. */
export class WebUi {
  readonly page: Page;

  private constructor(private readonly opened: OpenedPage) {
    this.page = opened.page;
    this.page.setDefaultTimeout(WAITING_MS);
  }

  static async open(stack: ComposeStack): Promise<WebUi> {
    const { Ports } = (await stack.inspect('temporal-ui')).NetworkSettings;
    const origin = `http://127.0.0.1:${Ports['8080/tcp']?.[0]?.HostPort ?? ''}`;
    const ui = new WebUi(await openPage({ ...VIEW, origin }));
    await ui.page.goto(origin);
    await ui.page.getByRole('button', { name: 'Collapse Navigation' }).click();
    return ui;
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  /** Goes where the navigation has a link to. */
  async go(to: 'Workflows' | 'Schedules'): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Primary' }).getByRole('link', { name: to, exact: true }).click();
    await this.page.getByRole('table', { name: to }).waitFor();
  }

  /** The list of workflows, filtered by a query that is typed in: `without` is a workflow that it does not find. */
  async search(query: string, { without }: { without: string }): Promise<Locator> {
    await this.go('Workflows');
    const input = this.page.getByTestId('workflow-manual-search-input');
    if (!(await input.isVisible())) await this.page.getByTestId('toggle-manual-query').click();
    await input.fill(query);
    await this.page.getByRole('button', { name: 'Search', exact: true }).click();
    await this.page.waitForURL((url) => url.searchParams.get('query') === query);
    const found = this.page.getByRole('table', { name: 'Workflows' });
    await found.getByRole('link', { name: without, exact: true }).first().waitFor({ state: 'hidden' });
    return found;
  }

  /** Opens a workflow of such a list, the newest with this id, and a tab of it. */
  async open(found: Locator, workflowId: string, tab: string): Promise<void> {
    await found.getByRole('link', { name: workflowId, exact: true }).first().click();
    await this.page.getByRole('heading', { level: 1 }).getByText(workflowId).waitFor();
    await this.openTab(tab);
  }

  async openTab(name: string): Promise<void> {
    await this.page.getByRole('tab', { name }).click();
  }

  /** What a workflow says of itself, which the UI shows in a frame of its own. */
  get currentDetails(): FrameLocator {
    return this.page.frameLocator('iframe').last();
  }

  /** Resolves when the timeline has this bar, of an activity or a child (`captureTarget: Completed`), and says so beside it. */
  async seeEvent(name: string, saying: string): Promise<void> {
    await this.page
      .getByRole('button', { name: `Event ${name}` })
      .filter({ hasText: saying })
      .waitFor();
  }

  /** Keeps a picture of what is seen now. */
  async keep(name: string): Promise<void> {
    await mkdir(SEEN, { recursive: true });
    await this.page.screenshot({ path: `${SEEN}${name}.png` });
  }

  /** Writes what lies between two places into the README's picture of that name, where UPDATE_SCREENSHOTS=1 asks for it. */
  async show(name: string, from: Locator, to: Locator): Promise<void> {
    if (process.env['UPDATE_SCREENSHOTS'] !== '1') return;
    await from.scrollIntoViewIfNeeded();
    await to.scrollIntoViewIfNeeded();
    const [top, bottom] = [await from.boundingBox(), await to.boundingBox()];
    if (top === null || bottom === null) throw new Error(`cannot take the picture ${name}: because nothing is seen`);
    await mkdir(IN_THE_README, { recursive: true });
    await this.page.screenshot({
      path: `${IN_THE_README}${name}.png`,
      clip: {
        x: NAVIGATION_PX,
        y: top.y - MARGIN_PX,
        width: VIEW.widthPx - NAVIGATION_PX,
        height: bottom.y + bottom.height - top.y + 2 * MARGIN_PX,
      },
    });
  }
}

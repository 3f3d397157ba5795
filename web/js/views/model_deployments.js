// Where a model runs: its deployments, what its aliases say against what really runs.
import { h, replace } from '../dom.js';
import { emptyState } from '../ui/controls.js';
import { deploymentTables } from './deployment_table.js';

export function deploymentsTab(body, first) {
	function draw({ deployed, name }) {
		replace(
			body,
			deployed.length
				? h('div.column', deploymentTables(deployed, { withModel: false }))
				: emptyState({
						icon: 'deploy',
						title: 'It runs nowhere that is known here',
						text: `Targets appear as soon as one is deployed to: trk deploy '${name}@ALIAS' --to DIR --env prod`,
					}),
		);
	}
	draw(first);
	return { refresh: draw };
}

// Where a model runs: its deployments, what its aliases say against what really runs.
import { arrange, h, replace } from '../dom.js';
import { emptyState, inShell, trkCommand } from '../ui/controls.js';
import { deploymentTables } from './deployment_table.js';

export function deploymentsTab(body, first) {
	const box = h('div.column');
	const tables = deploymentTables({ withModel: false });
	function draw({ deployed, name, aliases }) {
		const ref = inShell(`${name}@${aliases[0]?.alias ?? 'ALIAS'}`);
		if (deployed.length) arrange(box, tables(deployed));
		else
			replace(
				box,
				emptyState({
					icon: 'deploy',
					title: 'It runs nowhere that is known here',
					text: 'A target appears here as soon as the model is deployed to it:',
					children: trkCommand(`deploy ${ref} --to DIR --env prod --watch`),
				}),
			);
	}
	replace(body, box);
	draw(first);
	return { refresh: draw };
}
